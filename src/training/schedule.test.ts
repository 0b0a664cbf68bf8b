import { expect, it } from "vitest";
import { learningRateAt } from "./schedule.ts";

it("warms up linearly, then decays linearly to the final fraction", () => {
  const schedule = { learningRate: 1, warmupSteps: 3, finalFraction: 0.2 };
  const rates = Array.from({ length: 8 }, (_, i) => learningRateAt(schedule, i + 1, 8));
  [0.25, 0.5, 0.75, 1, 0.8, 0.6, 0.4, 0.2].forEach((rate, i) => expect(rates[i]).toBeCloseTo(rate, 12));
});

it("is constant by default", () => {
  const schedule = { learningRate: 1e-6, warmupSteps: 0, finalFraction: 1 };
  expect([1, 5, 10].map((step) => learningRateAt(schedule, step, 10))).toEqual([1e-6, 1e-6, 1e-6]);
});
