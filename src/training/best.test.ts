import { describe, expect, it } from "vitest";
import { RECORD_VERSION, type EvaluationRecord } from "../core/records.ts";
import { BestSteps } from "./best.ts";

const evaluation = (step: number, value: number | null): EvaluationRecord => ({
  version: RECORD_VERSION,
  kind: "evaluation",
  step,
  split: "validation",
  count: 1,
  scores: { exact_match: value },
  byKind: {},
  seconds: {},
});

describe("BestSteps", () => {
  it("has the trained steps with the highest values, the earliest of equals first", () => {
    const best = new BestSteps({ metric: "exact_match", patience: null });
    const seen = [evaluation(0, 1), evaluation(2, null), evaluation(4, 0.5), evaluation(6, 0.5), evaluation(8, 0.4)];
    const steps = seen.map((record) => {
      best.see(record);
      return best.best(2);
    });
    expect(steps).toEqual([[], [], [4], [4, 6], [4, 6]]);
    expect(best.best(9)).toEqual([4, 6, 8]);
    expect(best.exhausted).toBe(false);
  });

  it("is exhausted after `patience` evaluations without a new best, and no longer once there is one", () => {
    const best = new BestSteps({ metric: "exact_match", patience: 2 });
    const values = [0.9, 0.3, 0.3, 0.4, 0.2, null];
    const exhausted = values.map((value, index) => {
      best.see(evaluation(index * 2, value));
      return best.exhausted;
    });
    // Step 0 is no bar, an equal value is no gain, an evaluation without a value is none either.
    expect(exhausted).toEqual([false, false, false, false, false, true]);
    best.see(evaluation(12, 0.41));
    expect(best.exhausted).toBe(false);
  });

  it("counts a step that is evaluated again once", () => {
    const best = new BestSteps({ metric: "exact_match", patience: 2 });
    for (const [step, value] of [
      [2, 0.5],
      [4, 0.1],
      [4, 0.2],
    ] as const)
      best.see(evaluation(step, value));
    expect(best.exhausted).toBe(false);
    expect(best.best(3)).toEqual([2, 4]);
  });

  it("knows nothing without an evaluation", () => {
    const best = new BestSteps(null);
    best.see(evaluation(2, 1));
    expect([best.best(1), best.exhausted]).toEqual([[], false]);
  });
});
