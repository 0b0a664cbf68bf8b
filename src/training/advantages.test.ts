import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupAdvantages } from "./advantages.ts";

describe("groupAdvantages", () => {
  it("equals the formula by hand", () => {
    // Rewards 1, 0, 0, 1: mean 0.5, Bessel's std = sqrt(4 * 0.25 / 3) = 0.577350...
    const expected = 0.5 / (Math.sqrt(1 / 3) + 1e-4);
    expect(groupAdvantages([1, 0, 0, 1], "group")).toEqual([expected, -expected, -expected, expected]);
    expect(groupAdvantages([2, 0, 1], "none")).toEqual([1, -1, 0]);
  });

  it("gives zeros for equal rewards and for a group of one", () => {
    expect(groupAdvantages([0.1 + 0.2, 0.1 + 0.2, 0.1 + 0.2], "group")).toEqual([0, 0, 0]);
    expect(groupAdvantages([5], "group")).toEqual([0]);
    expect(groupAdvantages([5], "none")).toEqual([0]);
  });

  it("sums to zero and ignores a shift of all rewards", () => {
    const rewards = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 16 });
    fc.assert(
      fc.property(rewards, fc.constantFrom("group" as const, "none" as const), (values, scale) => {
        const advantages = groupAdvantages(values, scale);
        expect(advantages.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 8);
        groupAdvantages(
          values.map((value) => value + 1000),
          scale,
        ).forEach((value, index) => expect(value).toBeCloseTo(advantages[index] ?? Number.NaN, 8));
      }),
    );
  });
});
