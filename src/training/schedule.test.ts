import { describe, expect, it } from "vitest";
import { learningRateAt, type Schedule } from "./schedule.ts";

const rates = (schedule: Schedule, steps: number, count = steps): number[] =>
  Array.from({ length: count }, (_, i) => learningRateAt(schedule, i + 1, steps));
const near = (expected: number[]): unknown[] => expected.map((rate) => expect.closeTo(rate, 12));

describe("learningRateAt", () => {
  it("warms up linearly, then decays linearly to the final fraction", () => {
    const schedule = { learningRate: 1, warmupSteps: 3, finalFraction: 0.2 };
    expect(rates(schedule, 8)).toEqual(near([0.25, 0.5, 0.75, 1, 0.8, 0.6, 0.4, 0.2]));
    expect(rates({ ...schedule, schedule: "linear" }, 8)).toEqual(rates(schedule, 8));
  });

  it("is constant where nothing is said", () => {
    const schedule = { learningRate: 1e-6, warmupSteps: 0 };
    expect(rates(schedule, 3)).toEqual([1e-6, 1e-6, 1e-6]);
    expect(rates({ ...schedule, schedule: "constant", finalFraction: null }, 3)).toEqual([1e-6, 1e-6, 1e-6]);
  });

  // Values of transformers 5.23: get_linear_schedule_with_warmup and get_cosine_schedule_with_warmup, rate 1, no warm-up.
  it("equals transformers' linear and cosine schedules without warm-up", () => {
    const plain = { learningRate: 1, warmupSteps: 0 };
    expect(rates({ ...plain, schedule: "linear" }, 5)).toEqual(near([1, 0.8, 0.6, 0.4, 0.2]));
    expect(rates({ ...plain, schedule: "cosine" }, 5)).toEqual(
      near([1, 0.9045084971874737, 0.6545084971874737, 0.34549150281252633, 0.09549150281252633]),
    );
  });

  it("decays over a longer schedule than the run: the reference's search, 200 of 1,600 steps at 1e-6", () => {
    const schedule: Schedule = { learningRate: 1e-6, warmupSteps: 0, schedule: "linear", scheduleSteps: 1600 };
    const found = rates(schedule, 200);
    expect(found[0]).toBe(1e-6);
    expect(found[199]).toBeCloseTo((1e-6 * (1600 - 199)) / 1600, 18);
    expect(found).toEqual(rates(schedule, 1600).slice(0, 200));
  });

  it("ends a cosine at the final fraction, half-way between at the middle", () => {
    const schedule: Schedule = { learningRate: 1, warmupSteps: 1, schedule: "cosine", finalFraction: 0.1 };
    expect(rates(schedule, 6)).toEqual(
      near([0.5, 1, 0.1 + 0.45 * (1 + Math.SQRT1_2), 0.55, 0.1 + 0.45 * (1 - Math.SQRT1_2), 0.1]),
    );
  });

  it("never rises after the warm-up nor leaves [0, rate]", () => {
    for (const schedule of ["constant", "linear", "cosine"] as const)
      for (const finalFraction of schedule === "constant" ? [null] : [null, 0, 0.3, 1])
        for (const steps of [1, 2, 7]) {
          const found = rates({ learningRate: 1, warmupSteps: 1, schedule, finalFraction }, steps);
          expect(found.every((rate) => rate >= 0 && rate <= 1)).toBe(true);
          expect(found.slice(1).every((rate, i) => i === 0 || rate <= (found[i] ?? 0) + 1e-15)).toBe(true);
        }
  });
});
