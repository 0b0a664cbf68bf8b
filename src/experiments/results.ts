/**
 * `results.json`: the settings of an experiment compared. The same seeds give the same file, apart from its last key.
 */
import { z } from "zod";
import { DataError } from "../core/errors.ts";
import { bootstrapMean, bootstrapPairedDifference } from "../evaluation/bootstrap.ts";
import { plannedRuns, type Experiment, type PlannedRun } from "./folder.ts";
import type { MeasuredRun } from "./measure.ts";
import { studentInterval } from "./student-t.ts";

/** Raised when the meaning of a field changes. */
export const RESULTS_VERSION = 1;

/** Fixed: the same scores give the same intervals. */
const BOOTSTRAP = { seed: 0 };

const interval = z.tuple([z.number(), z.number()]);

/** A mean over seeds with its two 95% intervals. */
const estimateSchema = z.object({
  mean: z.number(),
  /** Student's t over seeds; null for fewer than two. */
  overSeeds: interval.nullable(),
  /** Bootstrap over tasks of the mean over seeds; null where no task has a score. */
  overTasks: interval.nullable(),
});
export type Estimate = z.infer<typeof estimateSchema>;

const settingSchema = z.object({
  values: z.record(z.string(), z.string()),
  /** Those that are finished. */
  seeds: z.array(z.int()),
  /** Null while no seed is finished; so is `reward`. */
  score: estimateSchema.nullable(),
  reward: z.object({ mean: z.number(), overSeeds: interval.nullable() }).nullable(),
  /** Minus the first setting, paired by seed and by task; null for the first, and where they share no finished seed. */
  difference: estimateSchema.nullable(),
});
export type SettingResult = z.infer<typeof settingSchema>;

const runSchema = z.object({
  setting: z.int(),
  seed: z.int(),
  folder: z.string(),
  finished: z.boolean(),
  /** Null while it is not finished; so are the following. */
  steps: z.int().nullable(),
  score: z.number().nullable(),
  reward: z.number().nullable(),
});

export const resultsSchema = z.object({
  version: z.literal(RESULTS_VERSION),
  name: z.string(),
  measure: z.object({ source: z.enum(["held-out", "report"]), metric: z.string(), split: z.string() }),
  /** Tasks that the score is over; null before the first run is finished. */
  tasks: z.int().nullable(),
  keys: z.array(z.string()),
  seeds: z.array(z.int()),
  settings: z.array(settingSchema),
  runs: z.array(runSchema),
  /** Wall clock. The last key, so that a reader can drop it. */
  seconds: z.object({
    total: z.number(),
    /** Mean over the finished seeds of each setting. */
    settings: z.array(z.number().nullable()),
    runs: z.array(z.number().nullable()),
  }),
});
export type Results = z.infer<typeof resultsSchema>;

interface Run extends PlannedRun {
  measured: MeasuredRun;
}

/** `measured[i]` is that of `plannedRuns(experiment)[i]`, null while unfinished. Throws `data.tasks_differ`. */
export function buildResults(experiment: Experiment, measured: readonly (MeasuredRun | null)[]): Results {
  const { name, measure, keys, seeds, settings } = experiment;
  const planned = plannedRuns(experiment);
  const runs = planned.flatMap((run, index): Run[] => {
    const one = measured[index] ?? null;
    return one === null ? [] : [{ ...run, measured: one }];
  });
  refuseOtherTasks(runs);
  const of = (setting: number): Run[] => runs.filter((run) => run.setting === setting);
  const secondsOf = (some: readonly Run[]): number | null =>
    some.length === 0 ? null : mean(some.map((run) => run.measured.seconds));
  return {
    version: RESULTS_VERSION,
    name,
    measure,
    tasks: runs[0]?.measured.byTask.size ?? null,
    keys,
    seeds,
    settings: settings.map(({ values }, setting) => ({
      values,
      seeds: of(setting).map(({ seed }) => seed),
      ...estimatesOf(of(setting)),
      difference: setting === 0 ? null : differenceOf(of(setting), of(0)),
    })),
    runs: planned.map((run, index) => {
      const one = measured[index] ?? null;
      const { steps = null, score = null, reward = null } = one ?? {};
      return { ...run, finished: one !== null, steps, score, reward };
    }),
    seconds: {
      total: runs.reduce((sum, run) => sum + run.measured.seconds, 0),
      settings: settings.map((_, setting) => secondsOf(of(setting))),
      runs: planned.map((_, index) => measured[index]?.seconds ?? null),
    },
  };
}

function estimatesOf(runs: readonly Run[]): Pick<SettingResult, "score" | "reward"> {
  if (runs.length === 0) return { score: null, reward: null };
  const score = studentInterval(runs.map(({ measured }) => measured.score));
  const reward = studentInterval(runs.map(({ measured }) => measured.reward));
  return {
    score: { mean: score.mean, overSeeds: score.interval, overTasks: overTasks(taskMeans(runs)) },
    reward: { mean: reward.mean, overSeeds: reward.interval },
  };
}

function differenceOf(runs: readonly Run[], first: readonly Run[]): Estimate | null {
  const pairs = runs.flatMap((run): [Run, Run][] => {
    const other = first.find(({ seed }) => seed === run.seed);
    return other === undefined ? [] : [[run, other]];
  });
  if (pairs.length === 0) return null;
  const { mean, interval } = studentInterval(pairs.map(([run, other]) => run.measured.score - other.measured.score));
  const ours = taskMeans(pairs.map(([run]) => run));
  const theirs = taskMeans(pairs.map(([, other]) => other));
  return { mean, overSeeds: interval, overTasks: overTasks(ours, theirs) };
}

/** Mean over runs of each task's score by id, without tasks that have none. */
function taskMeans(runs: readonly Run[]): Map<string, number> {
  const tasks = [...(runs[0]?.measured.byTask.keys() ?? [])];
  return new Map(
    tasks.flatMap((task): [string, number][] => {
      const scores = runs.flatMap(({ measured }) => measured.byTask.get(task) ?? []);
      return scores.length === 0 ? [] : [[task, mean(scores)]];
    }),
  );
}

/** Of the mean, or of the mean difference over the tasks that both have. */
function overTasks(scores: ReadonlyMap<string, number>, minus?: ReadonlyMap<string, number>): [number, number] | null {
  const shared = [...scores].filter(([task]) => minus?.has(task) ?? true);
  if (shared.length === 0) return null;
  const ours = shared.map(([, score]) => score);
  const { low, high } =
    minus === undefined
      ? bootstrapMean(ours, BOOTSTRAP)
      : bootstrapPairedDifference(
          ours,
          shared.map(([task]) => minus.get(task) ?? 0),
          BOOTSTRAP,
        );
  return [low, high];
}

function refuseOtherTasks([first, ...others]: readonly Run[]): void {
  if (first === undefined) return;
  for (const { folder, measured } of others) {
    const shared = [...measured.byTask.keys()].filter((task) => first.measured.byTask.has(task)).length;
    if (shared === first.measured.byTask.size && shared === measured.byTask.size) continue;
    throw new DataError(
      "data.tasks_differ",
      `${folder} was measured on ${measured.byTask.size} tasks, ${first.folder} on ${first.measured.byTask.size}; they share ${shared}`,
      { hint: "Runs compare only over the same tasks: has a task file changed since the experiment began?" },
    );
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
