/**
 * A training run as plain lines: a line a step, a few an evaluation. All that a pipe gets; above the live view they stay in the scrollback.
 */
import type { EvaluationRecord, UpdateRecord } from "../../core/records.ts";
import { stepSeconds } from "../../core/step-seconds.ts";
import { score } from "./charts.ts";
import { duration } from "./pace.ts";
import { oneLine } from "./printable.ts";
import type { Paint } from "./style.ts";
import type { ToolUse } from "./training-state.ts";

/** Names the columns of `stepLine`. @param names of the reward's parts */
export function stepHeader(names: readonly string[]): string {
  return `   step  reward  tools ok  seconds         left  grad  mismatch  ${names.join("  ")}`;
}

/** What a terminal may have to cut stands last. @param left seconds until the last step is done; null when unknown */
export function stepLine(
  update: UpdateRecord,
  steps: number,
  names: readonly string[],
  tools: ToolUse,
  left: number | null,
): string {
  return [
    `${update.step}/${steps}`.padStart(7),
    update.rewardMean.toFixed(3).padStart(6),
    `${tools.ok}/${tools.total}`.padStart(8),
    stepSeconds(update.seconds).toFixed(1).padStart(7),
    (left === null ? "-" : duration(left)).padStart(11),
    update.gradNorm.toFixed(2).padStart(4),
    update.mismatch.max.toExponential(0).padStart(8),
    ...names.map((name) => score(update.rewardParts[name]).padStart(name.length)),
  ].join("  ");
}

/** @param metric verifier whose scores are told by kind */
export function evaluationLines(record: EvaluationRecord, metric: string, paint: Paint): string[] {
  const { step, count, scores, byKind, seconds } = record;
  const means = Object.entries(scores).map(([name, mean]) => `${name} ${score(mean)}`);
  const kinds = Object.entries(byKind).map(([kind, one]) => `${oneLine(kind, 30)} ${score(one.scores[metric])}`);
  const took = seconds["total"] === undefined ? "" : `, ${duration(seconds["total"])}`;
  return [
    paint("cyan", `held-out after step ${step}: ${means.join(", ")} (${count} tasks, greedy${took})`),
    paint("dim", `        ${metric} by kind: ${kinds.join(", ")}`),
  ];
}
