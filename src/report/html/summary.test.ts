import { describe, expect, it } from "vitest";
import type { Report } from "../report.ts";
import { count, duration, percent, points, range, short } from "./numbers.ts";
import { headline } from "./summary.ts";

const withGain = (em: number, low: number, high: number): Report =>
  ({ steps: 36, gain: { em, emInterval: [low, high], f1: 0, f1Interval: [0, 0] } }) as Partial<Report> as Report;

describe("headline", () => {
  it.each([
    [withGain(0.642, 0.617, 0.667), "36 steps of GRPO: +64.2 points of exact match"],
    [withGain(-0.05, -0.08, -0.02), "36 steps of GRPO made it worse: −5.0 points of exact match"],
    [withGain(0.01, -0.02, 0.04), "36 steps of GRPO: no difference that these tasks can show"],
    [withGain(0, 0, 0), "36 steps of GRPO: no difference that these tasks can show"],
  ])("%#", (report, text) => {
    expect(headline(report)).toBe(text);
  });
});

describe("numbers", () => {
  it("are written as a person reads them", () => {
    expect([percent(0.98251), percent(1)]).toEqual(["98.3", "100.0"]);
    expect([points(0.1), points(-0.021), points(-0.0001)]).toEqual(["+10.0", "−2.1", "+0.0"]);
    expect(range([0.25, 1])).toBe("25.0–100.0");
    expect([short(0), short(0.25), short(2e-7), short(1234.5), short(1.25e6)]).toEqual([
      "0",
      "0.25",
      "2e-7",
      "1230",
      "1.3e+6",
    ]);
    expect([count(7), count(1600), count(1234567)]).toEqual(["7", "1,600", "1,234,567"]);
    expect([duration(3.25), duration(48.2), duration(225), duration(7500)]).toEqual([
      "3.3 s",
      "48 s",
      "3 min 45 s",
      "2 h 5 min",
    ]);
  });
});
