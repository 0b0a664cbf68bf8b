import { expect, it } from "vitest";
import { RECORD_VERSION, type EvaluationRecord } from "../core/records.ts";
import { BestStep } from "./best.ts";

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

it("is the earliest trained step with the highest value of the metric", () => {
  const best = new BestStep("exact_match");
  const seen = [evaluation(0, 1), evaluation(2, null), evaluation(4, 0.5), evaluation(6, 0.5), evaluation(8, 0.4)];
  const steps = seen.map((record) => {
    best.see(record);
    return best.step;
  });
  expect(steps).toEqual([null, null, 4, 4, 4]);
});
