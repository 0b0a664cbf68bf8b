import { expect, it } from "vitest";
import { exampleLines, pickExample } from "./example.ts";
import { facts, rollout, stepOf, type RolloutSketch } from "./testing/run.ts";
import { TrainingState } from "./training-state.ts";

const paint = (_format: string, text: string): string => text;
const CODE = "cv2.imwrite(out, image)";

const picked = (sketches: RolloutSketch[], shown: string[] = []): string | undefined =>
  pickExample(stepOf(1, sketches, {}), "exact_match", shown)?.record.id;

it("prefers a rollout that ran code and answered right, else the one with most tool runs", () => {
  const wrong = { id: "wrong", kind: "dark", code: CODE, answer: "1" };
  const failed = { id: "failed", kind: "dark", code: CODE, toolOk: false };
  const lazy = { id: "lazy", kind: "dark" };
  expect(picked([lazy, wrong, failed, { id: "good", kind: "dark", code: CODE }])).toBe("good");
  expect(picked([lazy, wrong])).toBe("wrong");
  expect(picked([lazy])).toBe("lazy");
  expect(picked([])).toBeUndefined();
});

it("goes round the kinds from step to step", () => {
  const state = new TrainingState(facts, 0, 0);
  const sketches = ["dark", "blur", "crop"].map((kind) => ({ id: kind, kind, code: CODE }));
  const seen = [1, 2, 3, 4].map((step) => {
    state.finishStep(stepOf(step, sketches, {}), step);
    return state.example?.record.taskKind;
  });
  expect(seen).toEqual(["dark", "blur", "crop", "dark"]);
});

const lines = (sketch: RolloutSketch, right: boolean | null, height = 30): string[] =>
  exampleLines({ record: rollout(sketch), reward: 0.5, right }, facts.pathOf, { width: 120, height, paint });

it("marks the answer, and says why there is none", () => {
  expect(lines({ id: "a", kind: "dark" }, true).at(-1)).toBe('  2 answer "482" ✓ · Now it reads well.');
  expect(lines({ id: "a", kind: "dark" }, false).at(-1)).toBe('  2 answer "482" ✗ · Now it reads well.');
  expect(lines({ id: "a", kind: "dark" }, null).at(-1)).toBe('  2 answer "482" · Now it reads well.');
  expect(lines({ id: "a", kind: "dark", answer: null }, false).at(-1)).toBe("  ✗ no answer (malformed)");
});

it("says what a failed tool said", () => {
  const failed = { id: "a", kind: "dark", code: CODE, toolOk: false, toolText: "NameError: image" };
  expect(lines(failed, null).slice(4, 7)).toEqual([
    "  2 code failed 0.03 s · Repair it.",
    `      ${CODE}`,
    "    NameError: image",
  ]);
});

it("shortens code first, then keeps the beginning and the end", () => {
  const long = { id: "a", kind: "dark", code: Array.from({ length: 20 }, (_, index) => `x = ${index}`).join("\n") };
  expect(lines(long, true, 30)).toHaveLength(7 + 8);
  expect(lines(long, true, 9)).toContain("      … 19 more lines");
  expect(lines(long, true, 9)).toHaveLength(9);
  expect(lines(long, true, 4).map((line) => line.slice(0, 10))).toEqual([
    "example a ",
    "  What num",
    "    in  /r",
    "  3 answer",
  ]);
});
