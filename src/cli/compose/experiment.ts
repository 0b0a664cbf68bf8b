/**
 * The runs of an experiment, one after the other: what is finished is skipped, what was interrupted goes on, what fails is told and does
 * not keep the others from running.
 */
import { existsSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { VarftError } from "../../core/errors.ts";
import { plannedRuns, readExperiment, type Experiment, type PlannedRun } from "../../experiments/folder.ts";
import { measureRun, type MeasuredRun } from "../../experiments/measure.ts";
import type { Results } from "../../experiments/results.ts";
import { settingLabel } from "../../experiments/sweep.ts";
import { writeResults } from "../../experiments/write.ts";
import { writeReport } from "../../report/write.ts";
import { lockFolder, unlockFolder } from "../../runs/lock.ts";
import { readRecords } from "../../runs/read.ts";
import { RunFolder } from "../../runs/run-folder.ts";
import { hasEnded } from "../../training/ended.ts";
import { recipeSchema, type Recipe } from "../../training/recipe/schema.ts";
import type { Place } from "../terminal/experiment.ts";
import { refuseOtherPins } from "./manifest.ts";
import { runRequest, type RunRequest } from "./open-run.ts";
import { evaluateRun } from "./reported-run.ts";
import { TRAINING_RECIPE } from "./training-run.ts";

/** A run and its place among all. */
export type RunPlace = PlannedRun & Place;

export interface ExperimentOptions {
  /** The experiment folder. */
  path: string;
  /** Trains to the end. */
  train(request: RunRequest<Recipe>, place: RunPlace): Promise<unknown>;
  /** `secondsLeft` of this run and those after it; null while none is finished. */
  onStart(place: RunPlace, secondsLeft: number | null): void;
  /** `before`: this command found it finished. */
  onFinished(place: RunPlace, measured: MeasuredRun, before: boolean): void;
  onFailure(place: RunPlace, error: unknown): void;
  signal: AbortSignal;
}

export interface ExperimentOutcome {
  results: Results;
  failed: RunPlace[];
}

/** What the next run would fail by as well. */
const FOR_ALL_RUNS = new Set(["engine.not_installed", "sandbox.not_installed", "data.disk_full"]);

/** Throws `data.no_experiment`, `data.run_locked`, on an interrupt what that threw, and what no other run could escape. */
export async function runExperiment(options: ExperimentOptions): Promise<ExperimentOutcome> {
  const path = resolve(options.path);
  const experiment = await readExperiment(path);
  await lockFolder(path);
  try {
    return await allRuns({ ...options, path }, experiment);
  } finally {
    await unlockFolder(path);
  }
}

async function allRuns(options: ExperimentOptions, experiment: Experiment): Promise<ExperimentOutcome> {
  const { path, signal } = options;
  const planned = plannedRuns(experiment);
  const places = planned.map((run, index): RunPlace => {
    const { values } = experiment.settings[run.setting]!;
    return { ...run, label: settingLabel(values), number: index + 1, count: planned.length };
  });
  const measured = await Promise.all(places.map((place) => finishedBefore(path, experiment, place)));
  let results = await writeResults(path, experiment, measured);
  const failed: RunPlace[] = [];
  const took: number[] = [];
  for (const [index, place] of places.entries()) {
    const known = measured[index] ?? null;
    if (known !== null) {
      options.onFinished(place, known, true);
      continue;
    }
    options.onStart(place, secondsLeft(measured, took, index));
    const startedMs = performance.now();
    try {
      const finished = await oneRun(options, experiment, place);
      measured[index] = finished;
      took.push((performance.now() - startedMs) / 1000);
      options.onFinished(place, finished, false);
    } catch (error) {
      if (signal.aborted || (error instanceof VarftError && FOR_ALL_RUNS.has(error.code))) throw error;
      options.onFailure(place, error);
      failed.push(place);
    }
    results = await writeResults(path, experiment, measured);
  }
  return { results, failed };
}

/** Null where something is left to do; what is wrong with a run is told when its turn comes. */
async function finishedBefore(path: string, experiment: Experiment, place: RunPlace): Promise<MeasuredRun | null> {
  const folder = join(path, place.folder);
  const { measure } = experiment;
  try {
    if (!(await isTrained(folder, recipeOf(experiment, place)))) return null;
    if (measure.source === "report" && !hasReport(folder)) return null;
    return await measureRun(folder, measure);
  } catch {
    return null;
  }
}

async function oneRun(options: ExperimentOptions, experiment: Experiment, place: RunPlace): Promise<MeasuredRun> {
  const { path, signal } = options;
  const { recipePath, measure, settings } = experiment;
  const folder = join(path, place.folder);
  const recipe = recipeOf(experiment, place);
  const { pins } = settings[place.setting]!;
  if (!(await isTrained(folder, recipe))) {
    await options.train(await requestOf({ folder, recipe, recipePath, pins }), place);
  }
  if (measure.source === "report" && !hasReport(folder)) {
    await evaluateRun(folder, signal);
    await writeReport(folder);
  }
  return measureRun(folder, measure);
}

function recipeOf({ settings }: Experiment, { setting, seed }: PlannedRun): Recipe {
  return recipeSchema.parse({ ...settings[setting]!.recipe, seed });
}

/** It is the last thing that is written of a report's figures. */
const hasReport = (folder: string): boolean => existsSync(join(folder, "report.json"));

/**
 * At the mean pace of the runs that this command has finished, else of those that it found.
 *
 * @param took seconds of each run, its start included
 * @param index of the run that begins now
 */
function secondsLeft(measured: readonly (MeasuredRun | null)[], took: readonly number[], index: number): number | null {
  const seconds = took.length > 0 ? took : measured.flatMap((run) => run?.seconds ?? []);
  if (seconds.length === 0) return null;
  const ahead = measured.slice(index).filter((run) => run === null).length;
  return (seconds.reduce((sum, value) => sum + value, 0) / seconds.length) * ahead;
}

async function isTrained(folder: string, recipe: Recipe): Promise<boolean> {
  if (!(await hasBegun(folder))) return false;
  const recordsPath = join(folder, "records.jsonl");
  const { committed } = await readRecords(recordsPath);
  return hasEnded({ committed, recordsPath }, recipe);
}

/** False for a folder that holds nothing worth keeping. */
async function hasBegun(folder: string): Promise<boolean> {
  const size = await stat(join(folder, "records.jsonl")).then(
    (file) => file.size,
    () => 0,
  );
  return size > 0 && existsSync(join(folder, "run.json"));
}

interface StartedRun {
  folder: string;
  recipe: Recipe;
  recipePath: string;
  /** Of the experiment: prompts that have changed since would make another run than the ones before. */
  pins: Record<string, string>;
}

async function requestOf({ folder, recipe, recipePath, pins }: StartedRun): Promise<RunRequest<Recipe>> {
  if (await hasBegun(folder)) return runRequest(undefined, { set: [], resume: folder }, TRAINING_RECIPE);
  return {
    recipe,
    recipePath,
    async openRun(manifest) {
      refuseOtherPins(pins, manifest.pins, folder);
      // What a killed start has left.
      await rm(folder, { recursive: true, force: true });
      return RunFolder.create(folder, manifest);
    },
  };
}
