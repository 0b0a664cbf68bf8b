/**
 * A sweep looked up and checked before anything starts: every setting is a recipe that `varft train` would begin with, and all of them
 * are measured by the same number.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { CheckpointError, ConfigError, errorFromShape, VarftError } from "../../core/errors.ts";
import type { TaskSet } from "../../core/task.ts";
import type { Experiment, Measure } from "../../experiments/folder.ts";
import { crossProduct, refuseOverlap, settingLabel, type SettingValues, type Sweep } from "../../experiments/sweep.ts";
import { loadRecipe } from "../../training/recipe/load.ts";
import { recipeSchema, type Recipe } from "../../training/recipe/schema.ts";
import { openInputs, type RunInputs } from "./inputs.ts";
import { describeRun } from "./manifest.ts";
import { buildTasks } from "./tasks.ts";

export interface SweepRequest {
  recipePath: string;
  /** Of `--set`, for every run. */
  sets: readonly string[];
  sweeps: readonly Sweep[];
  /** Null: the recipe's own. */
  seeds: readonly number[] | null;
  /** The final evaluations count, not the held-out ones. */
  report: boolean;
}

/** A setting with what its runs are measured by. */
interface Planned {
  label: string;
  values: SettingValues;
  recipe: Recipe;
  pins: Record<string, string>;
  measure: Measure & { options: string; tasks: TaskSet; count: number };
}

/**
 * Throws what `varft train` would throw for a setting, with the setting named; `config.bad_sweep`, `config.nothing_to_sweep`,
 * `checkpoint.missing`, `config.sweep_same`, `config.sweep_unmeasured`, `config.sweep_incomparable`, `config.sweep_worker`.
 */
export async function planExperiment(request: SweepRequest): Promise<Omit<Experiment, "version">> {
  const { recipePath, sets, sweeps, seeds } = request;
  if (sweeps.length === 0 && seeds === null) {
    throw new ConfigError("config.nothing_to_sweep", "nothing to sweep: neither --sweep nor --seeds is given", {
      hint: `For example varft sweep ${recipePath} --sweep training.learningRate=1e-4,2e-4 --seeds 11,12,13`,
    });
  }
  refuseOverlap(sweeps, sets, seeds);
  const settings: Planned[] = [];
  for (const values of crossProduct(sweeps)) settings.push(await plan(request, values));
  const [first] = settings as [Planned, ...Planned[]];
  refuseSame(settings);
  for (const setting of settings) await refuseOtherMeasure(setting, first);
  const planned = { seeds: [...(seeds ?? [first.recipe.seed])], settings };
  refuseSharedWorker(planned);
  const { source, metric, split } = first.measure;
  return {
    name: first.recipe.name,
    recipePath: resolve(recipePath),
    sets: [...sets],
    keys: sweeps.map(({ key }) => key),
    seeds: planned.seeds,
    measure: { source, metric, split },
    settings: settings.map(({ values, recipe, pins }) => ({ values, recipe, pins })),
  };
}

/** Wrong for every setting alike: no value is to blame. */
const NOT_OF_A_SETTING = new Set(["config.missing_file", "config.bad_yaml"]);

async function plan({ recipePath, sets, seeds, report }: SweepRequest, values: SettingValues): Promise<Planned> {
  const label = settingLabel(values);
  const ours = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  const seed = seeds?.[0];
  const all = [...sets, ...ours, ...(seed === undefined ? [] : [`seed=${seed}`])];
  let recipe: Recipe | null = null;
  try {
    recipe = await loadRecipe(recipeSchema, recipePath, all);
    const inputs = await openInputs(recipe, recipePath);
    refuseMissingModel(recipe, inputs.folder);
    const { pins } = describeRun("train", recipe, resolve(recipePath), inputs.prompts);
    return { label, values, recipe, pins, measure: await measureOf(recipe, inputs, report) };
  } catch (error) {
    if (!(error instanceof VarftError) || ours.length === 0) throw error;
    if (recipe === null && NOT_OF_A_SETTING.has(error.code)) throw error;
    const told = ours.reduce((text, set) => text.replaceAll(`--set ${set}`, `--sweep ${set}`), error.message);
    const details = { ...error.details, setting: values };
    throw errorFromShape({ ...error.toJSON(), message: `setting ${label}: ${told}`, details });
  }
}

/** The worker would say so too, but only when the runs before have trained. */
function refuseMissingModel({ model }: Recipe, folder: string): void {
  if ("worker" in model) return;
  const path = resolve(folder, model.path);
  if (existsSync(join(path, "config.json"))) return;
  throw new CheckpointError("checkpoint.missing", `model.path: no checkpoint at ${path} (no config.json)`, {
    hint: "Check the path; it is relative to the recipe.",
    details: { path },
  });
}

async function measureOf(recipe: Recipe, { heldOut, folder }: RunInputs, report: boolean): Promise<Planned["measure"]> {
  if (report) {
    const { split, tasks: count } = recipe.report;
    const tasks = await buildTasks({ ...recipe.tasks, size: count }, split, folder);
    return { source: "report", metric: "exact_match", split, options: "", tasks, count };
  }
  const { evaluation, rewards } = recipe;
  if (evaluation === null || heldOut === null) {
    throw new ConfigError(
      "config.sweep_unmeasured",
      "the recipe has no evaluation, so its runs have no number to compare",
      {
        hint: "Add one, for example --set 'evaluation={every: 10, tasks: 64}', or compare the final evaluations: --report.",
      },
    );
  }
  const entry = rewards[evaluation.metric];
  // Its weight rewards, and scores nothing.
  const options = JSON.stringify(typeof entry === "object" ? { ...entry, weight: 0 } : {});
  const { metric, split, tasks: count } = evaluation;
  return { source: "held-out", metric, split, options, tasks: heldOut, count };
}

/** Two settings that mean the same would look like a finding. */
function refuseSame(settings: readonly Planned[]): void {
  const seen = new Map<string, Planned>();
  for (const setting of settings) {
    const key = JSON.stringify(setting.recipe);
    const twin = seen.get(key);
    if (twin !== undefined) {
      throw new ConfigError("config.sweep_same", `${twin.label} and ${setting.label} are the same recipe`, {
        hint: "Leave one of the values out.",
      });
    }
    seen.set(key, setting);
  }
}

async function refuseOtherMeasure({ label, recipe, measure }: Planned, first: Planned): Promise<void> {
  const differs = (["metric", "split", "options"] as const).find((key) => measure[key] !== first.measure[key]);
  const refuse = (what: string, one: string, other: string): never => {
    throw new ConfigError(
      "config.sweep_incomparable",
      `${first.label} is measured by ${what} ${one}, ${label} by ${other}`,
      {
        hint: "Settings compare only by one metric over the same tasks: leave evaluation, report and tasks alike.",
      },
    );
  };
  if (differs !== undefined) return refuse(differs, first.measure[differs], measure[differs]);
  // Equal sections make equal tasks; only others are worth making them.
  if (JSON.stringify(recipe.tasks) === JSON.stringify(first.recipe.tasks) && measure.count === first.measure.count)
    return;
  const [ours, theirs] = [await taskDigest(measure), await taskDigest(first.measure)];
  if (ours !== theirs) refuse("the tasks", theirs, ours);
}

/** Digest of what is asked, and how many there are. */
async function taskDigest({ tasks, count }: Planned["measure"]): Promise<string> {
  const hash = createHash("sha256");
  const size = Math.min(count, tasks.size);
  for (let index = 0; index < size; index++) {
    const { task } = await tasks.load(index);
    hash.update(JSON.stringify([task.id, task.public, task.private.answers]));
  }
  return `${hash.digest("hex").slice(0, 12)} (${size})`;
}

/** A worker that runs already has trained after the first run. */
function refuseSharedWorker({ seeds, settings }: { seeds: readonly number[]; settings: readonly Planned[] }): void {
  const shared = settings.find(({ recipe }) => "worker" in recipe.model);
  if (shared === undefined || seeds.length * settings.length === 1) return;
  throw new ConfigError("config.sweep_worker", "model.worker serves one run: after it, its weights are trained", {
    hint: "Give model.path, so that every run gets a fresh worker.",
  });
}
