import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootstrapMean, bootstrapPairedDifference } from "./bootstrap.ts";

/** Smallest k with P(X <= k) >= share, X binomial: the exact bootstrap quantile of a sum of 0s and 1s. */
function binomialQuantile(count: number, p: number, share: number): number {
  let mass = (1 - p) ** count;
  let total = mass;
  for (let k = 0; k < count; k++) {
    if (total >= share) return k;
    mass *= ((count - k) / (k + 1)) * (p / (1 - p));
    total += mass;
  }
  return count;
}

const bits = (count: number, ones: number): number[] => Array.from({ length: count }, (_, i) => (i < ones ? 1 : 0));

describe("bootstrapMean", () => {
  it.each([
    [8, 4],
    [100, 30],
    [400, 10],
  ])("of %d values, %d of them 1, is the binomial's quantiles", (count, ones) => {
    const { mean, low, high } = bootstrapMean(bits(count, ones), { seed: 5 });
    const p = ones / count;
    expect(mean).toBeCloseTo(p, 12);
    // Where a quantile lies near a step of the binomial, the noise of 10,000 resamples may take it one case further, not two.
    expect(Math.abs(low - binomialQuantile(count, p, 0.025) / count)).toBeLessThan(1.5 / count);
    expect(Math.abs(high - binomialQuantile(count, p, 0.975) / count)).toBeLessThan(1.5 / count);
  });

  it("of many continuous values is the normal interval of their standard error", () => {
    const values = Array.from({ length: 500 }, (_, i) => (i + 0.5) / 500);
    const { low, high } = bootstrapMean(values, { seed: 1 });
    const error = 1.96 * Math.sqrt(1 / 12 / 500);
    expect(low).toBeCloseTo(0.5 - error, 2);
    expect(high).toBeCloseTo(0.5 + error, 2);
  });

  it("is pinned: the same seed gives the same interval on every machine, another seed another", () => {
    const values = Array.from({ length: 50 }, (_, i) => ((i * 37) % 50) / 50);
    // From a separate implementation in Python, seeding and sfc32 included.
    const pinned = { mean: 0.49000000000000005, low: 0.4144999999999999, high: 0.5702499999999999 };
    expect(bootstrapMean(values, { seed: 7, resamples: 100 })).toEqual(pinned);
    expect(bootstrapMean(values, { seed: 8, resamples: 100 })).not.toEqual(pinned);
  });

  it("lies within the values and moves with them", () => {
    const value = fc.integer({ min: -64, max: 64 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), fc.nat(), (values, seed) => {
        const interval = bootstrapMean(values, { seed, resamples: 50 });
        expect(interval.low).toBeGreaterThanOrEqual(Math.min(...values));
        expect(interval.high).toBeLessThanOrEqual(Math.max(...values));
        expect(interval.low).toBeLessThanOrEqual(interval.high);
        const moved = bootstrapMean(
          values.map((one) => 2 * one + 1),
          { seed, resamples: 50 },
        );
        expect(moved.low).toBeCloseTo(2 * interval.low + 1, 9);
        expect(moved.high).toBeCloseTo(2 * interval.high + 1, 9);
      }),
      { seed: 4, numRuns: 100 },
    );
  });

  it.each([
    [[], {}, "no values"],
    [[1, Number.NaN], {}, "not finite"],
    [[1], { resamples: 0 }, "0 resamples"],
  ])("refuses %j %j", (values, options, message) => {
    expect(() => bootstrapMean(values, { seed: 0, ...options })).toThrow(message);
  });
});

describe("bootstrapPairedDifference", () => {
  it("is narrower than two separate intervals: what is common to both cancels", () => {
    const before = bits(100, 50);
    const after = before.map((value, i) => (i >= 90 ? 1 : value));
    const { mean, low, high } = bootstrapPairedDifference(after, before, { seed: 2 });
    expect(mean).toBeCloseTo(0.1, 12);
    expect(Math.abs(low - binomialQuantile(100, 0.1, 0.025) / 100)).toBeLessThan(0.015);
    expect(Math.abs(high - binomialQuantile(100, 0.1, 0.975) / 100)).toBeLessThan(0.015);
  });

  it("of the same values is 0; of other lengths is refused with both", () => {
    expect(bootstrapPairedDifference([1, 0, 1], [1, 0, 1], { seed: 0 })).toEqual({ mean: 0, low: 0, high: 0 });
    expect(() => bootstrapPairedDifference([1], [1, 2], { seed: 0 })).toThrow("1 values after and 2 before");
  });
});
