/**
 * A finished run scored again with the `rewards` of its recipe, or with changed ones.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError, DataError } from "../../core/errors.ts";
import { RECORD_VERSION } from "../../core/records.ts";
import type { LoadedTask, TaskSet } from "../../core/task.ts";
import { writeFileAtomic } from "../../runs/disk.ts";
import { DiskImageStore } from "../../runs/images.ts";
import { readRecords } from "../../runs/read.ts";
import { RunFolder } from "../../runs/run-folder.ts";
import { overriddenRecipe } from "../../training/recipe/load.ts";
import type { Rewards } from "../../training/recipe/rewards.ts";
import { recipeSchema, type Recipe } from "../../training/recipe/schema.ts";
import { rescore, type Rescored, type RescoreRequest } from "../../training/rescore.ts";
import { EvidenceStore } from "../../verifiers/evidence.ts";
import { openInputs, type RunInputs } from "./inputs.ts";
import { openServices } from "./verifiers.ts";

export interface RescoreOptions {
  run: string;
  /** `rewards...=value`. */
  sets: readonly string[];
  /** Absent: the next free `<run>/rescores/001.jsonl`. */
  out?: string;
  /** Services are asked for what the run holds no evidence of. */
  ask: boolean;
  onScored: (done: number, total: number) => void;
  signal: AbortSignal;
}

export interface RescoredRun {
  rewards: Rewards;
  rescored: Rescored[];
  /** Where the new scores are. */
  path: string;
}

/** Throws `config.other_command`, `config.rescore_set`, `data.scores_exist`, and what `rescore` throws. */
export async function rescoreRun(options: RescoreOptions): Promise<RescoredRun> {
  const { run, sets, ask, signal, onScored } = options;
  const manifest = await RunFolder.manifest(run);
  if (manifest["command"] !== "train") {
    throw new ConfigError(
      "config.other_command",
      `${run} was made by varft ${String(manifest["command"])}, not by varft train`,
      {
        hint: "Give the folder that `varft train` or `varft quickstart` printed.",
      },
    );
  }
  refuseOtherSets(sets);
  const path = resolve(options.out ?? unusedPath(join(run, "rescores")));
  if (existsSync(path)) throw new DataError("data.scores_exist", `${path} exists`, { hint: "Choose another --out." });
  const recipe = overriddenRecipe(recipeSchema, manifest["recipe"], join(run, "run.json"), sets);
  const inputs = await openInputs(recipe, String(manifest["recipePath"]));
  const { records } = await readRecords(join(run, "records.jsonl"));
  const evidence = new EvidenceStore();
  for (const record of records) if (record.kind === "score") evidence.add(record);
  const logFile = join(run, "logs", "rescore-embedding.log");
  const services = openServices(inputs.verifiers, { folder: inputs.folder, logFile, signal });
  try {
    const verifiers = services.verifiers.map((one) => ({
      ...one,
      services: evidence.services(one.verifier.needs, ask ? one.services : {}),
    }));
    const images = new DiskImageStore(join(run, "images"));
    const tasksOf = tasksByStep(recipe, inputs);
    const rescored = await rescore({ records, verifiers, tasksOf, images, onScored, signal });
    if (rescored.length === 0)
      throw new DataError("data.no_rollouts", `${run} holds no rollouts`, { hint: "Let it train first." });
    const head = { version: RECORD_VERSION, kind: "rescore", rewards: recipe.rewards, sets };
    const lines = [head, ...rescored.map(({ score }) => score)].map((line) => `${JSON.stringify(line)}\n`);
    await writeFileAtomic(path, lines.join(""));
    return { rewards: recipe.rewards, rescored, path };
  } finally {
    await services.close();
  }
}

/** Only what scores: everything else of a finished run has happened. */
function refuseOtherSets(sets: readonly string[]): void {
  for (const set of sets) {
    if (/^rewards[.=]/.test(set)) continue;
    throw new ConfigError(
      "config.rescore_set",
      `--set ${set}: only rewards can be changed when a run is scored again`,
      {
        hint: "For example --set rewards.format=0.2",
      },
    );
  }
}

/** As training and evaluation chose them. */
function tasksByStep({ evaluation }: Recipe, { tasks, tasksOfStep, heldOut }: RunInputs): RescoreRequest["tasksOf"] {
  const all = (set: TaskSet, indices: readonly number[]): Promise<LoadedTask[]> =>
    Promise.all(indices.map((index) => set.load(index)));
  let evaluated: Promise<LoadedTask[]> | null = null;
  return (purpose, step) => {
    if (purpose === "training") return all(tasks, tasksOfStep(step));
    if (evaluation === null || heldOut === null) return Promise.resolve([]);
    const size = Math.min(evaluation.tasks, heldOut.size);
    evaluated ??= all(
      heldOut,
      Array.from({ length: size }, (_, index) => index),
    );
    return evaluated;
  };
}

/** `<folder>/001.jsonl`, or the first number that is free. */
function unusedPath(folder: string): string {
  for (let number = 1; ; number++) {
    const path = join(folder, `${String(number).padStart(3, "0")}.jsonl`);
    if (!existsSync(path)) return path;
  }
}
