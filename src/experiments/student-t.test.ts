import { describe, expect, it } from "vitest";
import { studentInterval, studentQuantile } from "./student-t.ts";

describe("studentQuantile", () => {
  // Abramowitz & Stegun, table 26.10, t(0.95): both sides together 5%.
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [5, 2.571],
    [9, 2.262],
    [10, 2.228],
    [30, 2.042],
    [60, 2.0],
    [120, 1.98],
  ])("for %i degrees of freedom is %f", (freedom, expected) => {
    expect(studentQuantile(freedom)).toBeCloseTo(expected, 3);
  });
});

describe("studentInterval", () => {
  it("of 1, 2, 3: s = 1, so 2 ± 4.30265 / √3", () => {
    const { mean, interval } = studentInterval([1, 2, 3]);
    expect(mean).toBe(2);
    expect(interval?.[0]).toBeCloseTo(2 - 2.48414, 5);
    expect(interval?.[1]).toBeCloseTo(2 + 2.48414, 5);
  });
  it("of two values is as wide as ignorance: 0.5 ± 12.7062 × 0.25", () => {
    expect(studentInterval([0.25, 0.75]).interval?.[1]).toBeCloseTo(0.5 + 3.17655, 5);
  });
  it("of equal values has no width, of one value does not exist, of none is a fault", () => {
    expect(studentInterval([0.5, 0.5])).toEqual({ mean: 0.5, interval: [0.5, 0.5] });
    expect(studentInterval([0.5])).toEqual({ mean: 0.5, interval: null });
    expect(() => studentInterval([])).toThrow(RangeError);
  });
});
