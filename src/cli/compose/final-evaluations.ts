/**
 * The evaluations that a report compares, all over the same held-out tasks. Each is kept in `evaluations/<name>/` of the run when it is
 * finished, so that a killed command goes on where it was.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../core/errors.ts";
import { RECORD_VERSION, type RunRecord } from "../../core/records.ts";
import type { TaskSet } from "../../core/task.ts";
import type { EngineHandle } from "../../engine/handle.ts";
import type { Environment } from "../../environment/environment.ts";
import { enginePolicy } from "../../policies/engine.ts";
import { writeDecisions } from "../../report/decisions.ts";
import { writeFileAtomic } from "../../runs/disk.ts";
import type { RunFolder } from "../../runs/run-folder.ts";
import { BestSteps } from "../../training/best.ts";
import { loadCommitted } from "../../training/checkpoints.ts";
import { decisionProbabilities } from "../../training/decisions.ts";
import { evaluate, type Evaluation } from "../../training/evaluate.ts";
import type { Recipe } from "../../training/recipe/schema.ts";
import { decisionLines } from "../terminal/decisions.ts";
import { printLine } from "../terminal/live-region.ts";
import { progress } from "../terminal/progress.ts";
import { decisionProbes, type DemonstrationSource } from "./demonstrations.ts";
import { withoutTools } from "./environment.ts";
import { trainControl } from "./supervised-control.ts";
import { buildVerifiers, openServices } from "./verifiers.ts";

export interface FinalEvaluations {
  recipe: Recipe;
  /** Folder that the recipe's paths are relative to. */
  folder: string;
  run: RunFolder;
  /** A fresh worker, with the weights that the run began with. */
  startEngine(): Promise<EngineHandle>;
  environment: Environment;
  /** For the supervised control; null without one. */
  source: DemonstrationSource | null;
  tasks: TaskSet;
  pins: Record<string, string>;
  signal: AbortSignal;
}

/** A policy to compare, and how a worker gets its weights. */
interface Condition {
  name: "before" | "supervised" | "after" | "without-tools";
  title: string;
  prepare(engine: EngineHandle): Promise<void>;
  environment: Environment;
}

/** Makes the evaluations that are missing. Throws `data.run_unfinished` while training steps are missing. */
export async function finalEvaluations(options: FinalEvaluations): Promise<void> {
  const { recipe, run } = options;
  const done = run.committed?.step ?? 0;
  const ended = done >= recipe.training.steps || (await BestSteps.of(run, recipe.evaluation)).exhausted;
  if (!ended) {
    throw new DataError("data.run_unfinished", `${run.path} has ${done} of ${recipe.training.steps} steps`, {
      hint: `Finish it first: varft train --resume ${run.path}`,
    });
  }
  const missing = conditions(options).filter(({ name }) => !existsSync(recordsOf(run, name)));
  const decisionsPath = join(run.path, "evaluations", "decisions.json");
  const askDecisions = recipe.report.decisionTasks > 0 && !existsSync(decisionsPath);
  if (missing.length === 0 && !askDecisions) return;
  const engine = await options.startEngine();
  try {
    if (askDecisions) await reportDecisions(options, engine, decisionsPath);
    for (const condition of missing) {
      await condition.prepare(engine);
      await evaluateCondition(options, engine, condition);
    }
  } finally {
    await engine.stop();
  }
}

/** In this order one worker serves all: those that need the first weights come before those that load the last. */
function conditions({ recipe, run, environment, source, pins, signal }: FinalEvaluations): Condition[] {
  const { control } = recipe.report;
  const loadLast = ({ client }: EngineHandle): Promise<void> => loadCommitted(run, client, pins);
  return [
    { name: "before", title: "before training", prepare: () => Promise.resolve(), environment },
    ...(control === null || source === null
      ? []
      : [
          {
            name: "supervised" as const,
            title: "supervised control",
            prepare: (engine: EngineHandle) => trainControl({ recipe, control, run, engine, source, signal }),
            environment,
          },
        ]),
    { name: "after", title: "after training", prepare: loadLast, environment },
    {
      name: "without-tools",
      title: "after training, tools off",
      prepare: loadLast,
      environment: withoutTools(environment),
    },
  ];
}

const recordsOf = (run: RunFolder, name: string): string => join(run.path, "evaluations", name, "records.jsonl");

async function evaluateCondition(
  { recipe, folder, run, tasks, signal }: FinalEvaluations,
  { client }: EngineHandle,
  { name, title, environment }: Condition,
): Promise<void> {
  // Scored by both whatever the recipe rewards.
  const built = await buildVerifiers({ exact_match: 0, f1: 0, ...recipe.rewards }, folder);
  const services = openServices(built, { folder, logFile: run.logPath("report-embedding.log"), signal });
  const policy = enginePolicy({ client, pixels: recipe.engine.pixels });
  const bar = progress(title, tasks.size);
  const onEpisode = (done: number): void => bar.update(done, "episodes");
  const context = { recipe, environment, policy, verifiers: services.verifiers, onEpisode, signal };
  let evaluation: Evaluation;
  try {
    evaluation = await evaluate(context, tasks, tasks.size, recipe.training.steps);
  } finally {
    await services.close();
  }
  const lines = recordsOfEvaluation(evaluation).map((record) => `${JSON.stringify(record)}\n`);
  await writeFileAtomic(recordsOf(run, name), lines.join(""));
  const { count, scores } = evaluation.record;
  const [em, f1] = [scores["exact_match"] ?? 0, scores["f1"] ?? 0];
  bar.finish(`exact match ${em.toFixed(3)}, F1 ${f1.toFixed(3)} over ${count} tasks of ${tasks.name}, greedy`);
}

function recordsOfEvaluation({ episodes, scores, record }: Evaluation): RunRecord[] {
  const prompts = episodes.flatMap(({ shown }) => shown.flatMap(({ prompt }) => prompt ?? []));
  const distinct = new Map(prompts.map((prompt) => [prompt.digest, prompt]));
  return [
    ...[...distinct.values()].map((prompt) => ({ version: RECORD_VERSION, kind: "prompt", ...prompt }) as const),
    ...episodes.map((episode) => episode.record),
    ...scores,
    record,
  ];
}

/** What the policy knew before training: validation tasks, so that nothing of the final set is looked at. */
async function reportDecisions(
  { recipe, environment, signal }: FinalEvaluations,
  { client }: EngineHandle,
  path: string,
): Promise<void> {
  const asked = { seed: recipe.tasks.seed, split: "validation", perKind: recipe.report.decisionTasks } as const;
  const probes = await decisionProbes({ ...asked, environment }, signal);
  const { temperature } = recipe.sampling;
  const decisions = await decisionProbabilities(probes, { client, temperature, pixels: recipe.engine.pixels, signal });
  await writeDecisions(path, decisions);
  for (const line of decisionLines("before training", decisions)) printLine(line);
}
