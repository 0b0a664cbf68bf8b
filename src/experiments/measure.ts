/**
 * One finished run as numbers, from its records.
 */
import { join } from "node:path";
import { DataError } from "../core/errors.ts";
import type { RunRecord } from "../core/records.ts";
import { readFinalEvaluations } from "../report/evaluations.ts";
import { secondsOf } from "../report/seconds.ts";
import { readRecords } from "../runs/read.ts";
import type { Measure } from "./folder.ts";

export interface MeasuredRun {
  /** Mean over `byTask` without null. */
  score: number;
  /** Score of each task by id, sorted; null where the metric does not apply. */
  byTask: ReadonlyMap<string, number | null>;
  /** Mean reward of training rollouts over the last tenth of the steps. */
  reward: number;
  /** Updates made. */
  steps: number;
  /** Steps and held-out evaluations that count. */
  seconds: number;
}

type TaskScore = [task: string, score: number | null];

/** Throws `data.no_evaluation` and `data.no_score` for a run without the number that counts. */
export async function measureRun(runPath: string, { source, metric }: Measure): Promise<MeasuredRun> {
  const { records } = await readRecords(join(runPath, "records.jsonl"));
  const scores = source === "report" ? await finalScores(runPath) : heldOutScores(records, metric, runPath);
  const byTask = new Map(scores.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const rewards = records.flatMap((record) => (record.kind === "update" ? [record.rewardMean] : []));
  return {
    score: mean(scores.flatMap(([, score]) => score ?? [])),
    byTask,
    reward: mean(rewards.slice(-Math.ceil(rewards.length / 10))),
    steps: rewards.length,
    seconds: secondsOf(records).total,
  };
}

async function finalScores(runPath: string): Promise<TaskScore[]> {
  const { after } = await readFinalEvaluations(runPath);
  return after.outcomes.map(({ rollout, em }) => [rollout.taskId, em]);
}

/** Task and score of the episodes of the last evaluation. */
function heldOutScores(records: readonly RunRecord[], metric: string, runPath: string): TaskScore[] {
  const last = records.findLast((record) => record.kind === "evaluation");
  if (last === undefined) {
    throw new DataError("data.no_evaluation", `${runPath} has no held-out evaluation`, {
      hint: "Give the recipe an evaluation, or compare the final ones: --report.",
    });
  }
  const tasks = new Map(
    records.flatMap((record) =>
      record.kind === "rollout" && record.purpose === "evaluation" && record.step === last.step
        ? [[record.id, record.taskId]]
        : [],
    ),
  );
  const scores = records.flatMap((record): TaskScore[] => {
    const task = record.kind === "score" ? tasks.get(record.rolloutId) : undefined;
    if (record.kind !== "score" || task === undefined) return [];
    return [[task, record.parts.find(({ verifier }) => verifier === metric)?.score ?? null]];
  });
  if (scores.some(([, score]) => score !== null)) return scores;
  throw new DataError("data.no_score", `${runPath}: no held-out task of step ${last.step} has a score by ${metric}`, {
    hint: "Choose another evaluation.metric: this one applies to none of the tasks.",
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
