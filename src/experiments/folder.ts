/**
 * The experiment folder: `experiment.json`, and where its runs are.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { DataError } from "../core/errors.ts";
import { writeFileAtomic } from "../runs/disk.ts";

/** Raised when the meaning of a field changes. */
export const EXPERIMENT_VERSION = 1;

/** Which number of a run counts. */
const measureSchema = z.object({
  /** `held-out`: the last held-out evaluation of training; `report`: the final evaluation `after` of `varft report`. */
  source: z.enum(["held-out", "report"]),
  /** Verifier whose score counts. */
  metric: z.string(),
  split: z.string(),
});
export type Measure = z.infer<typeof measureSchema>;

const settingSchema = z.object({
  /** Swept keys and their values as written. */
  values: z.record(z.string(), z.string()),
  /** Resolved, with the first seed; so that a run that begins after a resume is the one that was asked for. */
  recipe: z.looseObject({ name: z.string(), seed: z.int() }),
  /** What a run of it must not begin under otherwise: prompts, protocol. */
  pins: z.record(z.string(), z.string()),
});

export const experimentSchema = z.object({
  version: z.literal(EXPERIMENT_VERSION),
  name: z.string(),
  /** What the paths of the recipes are relative to. */
  recipePath: z.string(),
  /** Of `--set`, the same for every run. */
  sets: z.array(z.string()),
  /** Swept keys, the slowest first. */
  keys: z.array(z.string()),
  seeds: z.array(z.int()).min(1),
  measure: measureSchema,
  /** The others are compared to the first. */
  settings: z.array(settingSchema).min(1),
});
export type Experiment = z.infer<typeof experimentSchema>;

/** One run of an experiment. */
export interface PlannedRun {
  /** Index of its setting. */
  setting: number;
  seed: number;
  /** Relative to the experiment folder, with forward slashes. */
  folder: string;
}

/** Seed by seed: after the first round every setting has a run, so that a table says something early. */
export function plannedRuns({ settings, seeds }: Pick<Experiment, "settings" | "seeds">): PlannedRun[] {
  const digits = Math.max(2, String(settings.length).length);
  return seeds.flatMap((seed) =>
    settings.map((_, setting) => {
      const number = String(setting + 1).padStart(digits, "0");
      return { setting, seed, folder: `runs/${number}-seed-${seed}` };
    }),
  );
}

const FILE = "experiment.json";

/** Makes the folder with its `experiment.json`. Throws `data.experiment_exists` when it holds anything. */
export async function createExperiment(path: string, experiment: Omit<Experiment, "version">): Promise<void> {
  const folder = resolve(path);
  if (existsSync(folder) && (await readdir(folder)).length > 0) {
    const ours = existsSync(join(folder, FILE));
    throw new DataError("data.experiment_exists", `${folder} is not empty`, {
      hint: ours ? `Go on with it: varft sweep --resume ${path}` : "Choose another --out.",
    });
  }
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(
    join(folder, FILE),
    `${JSON.stringify({ version: EXPERIMENT_VERSION, ...experiment }, null, 2)}\n`,
  );
}

/** Throws `data.no_experiment`. */
export async function readExperiment(path: string): Promise<Experiment> {
  const file = join(resolve(path), FILE);
  const refuse = (reason: string, cause?: unknown): never => {
    throw new DataError("data.no_experiment", `${file}: ${reason}`, {
      hint: "Give the folder that `varft sweep` printed.",
      cause,
    });
  };
  const text = await readFile(file, "utf8").catch((cause: unknown) => refuse("cannot be read", cause));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return refuse(`not JSON: ${(cause as Error).message}`, cause);
  }
  const parsed = experimentSchema.safeParse(json);
  return parsed.success ? parsed.data : refuse(z.prettifyError(parsed.error));
}
