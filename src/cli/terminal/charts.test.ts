import { expect, it } from "vitest";
import { bar, score, sparkline } from "./charts.ts";

it("draws a sparkline", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 20, [0, 7])).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([-5, 0.5, null, 5], 20, [0, 1])).toBe("▁▅ █");
  expect(sparkline([0, 0, 1, 1, 0.5, 0.5], 3, [0, 1])).toBe("▁█▅");
  expect(sparkline([1, 0, 0, 0, 0], 2, [0, 1])).toBe("▅▁");
  expect(sparkline([3, 3], 5, [3, 3])).toBe("▁▁");
  expect(sparkline([], 5, [0, 1])).toBe("");
});

it("draws a bar that never leaves its width", () => {
  expect([0, 0.5, 1, 2, -1, Number.NaN].map((share) => bar(share, 4))).toEqual([
    "░░░░",
    "██░░",
    "████",
    "████",
    "░░░░",
    "░░░░",
  ]);
});

it("writes scores as the published tables do", () => {
  expect([0.974, 0, 1, 0.996, -0.25, null, undefined].map(score)).toEqual([
    ".97",
    ".00",
    "1.0",
    "1.0",
    "-.25",
    "-",
    "-",
  ]);
});
