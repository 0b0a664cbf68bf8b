/**
 * The GRPO loop: steps, records, checkpoints, and what happens when the worker dies.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError, EngineError } from "../core/errors.ts";
import { RECORD_VERSION, type EvaluationRecord, type RunRecord } from "../core/records.ts";
import type { TaskSet } from "../core/task.ts";
import type { EngineClient } from "../engine/client.ts";
import type { EngineHandle } from "../engine/handle.ts";
import type { Episode, EpisodeRequest } from "../episodes/episode.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import type { Recipe } from "./recipe/schema.ts";
import { BestStep } from "./best.ts";
import { evaluate } from "./evaluate.ts";
import { grpoStep, type StepContext, type StepResult } from "./step.ts";

export interface TrainOptions extends Omit<StepContext, "client" | "policy"> {
  recipe: Recipe;
  /** The worker's present life. A restart replaces it here, so that the caller stops the one that is left. */
  engine: { current: EngineHandle };
  policyFor(client: EngineClient): EpisodeRequest["policy"];
  tasks: TaskSet;
  /** Indices of the tasks that a step trains on (`taskSelector`). */
  tasksOfStep: (step: number) => number[];
  /** Held-out tasks; null where the recipe has no evaluation. */
  heldOut: TaskSet | null;
  run: RunFolder;
  /** Pinned in every checkpoint and checked when one is loaded. */
  pins: Record<string, string>;
  onStep(result: StepResult): void;
  onEvaluation(record: EvaluationRecord): void;
  onRestart(error: EngineError, fromStep: number): void;
}

/** A worker that keeps dying is a fault to report, not to hide. */
const MAX_RESTARTS = 3;

/** Error codes after which a fresh worker and the last checkpoint make the run whole again. */
const RECOVERABLE = new Set(["engine.died", "engine.restarted", "engine.unreachable", "engine.unresponsive"]);

/** Trains until `recipe.training.steps` steps are committed. A folder with committed steps is resumed after the last one. */
export async function train(options: TrainOptions): Promise<void> {
  const { run, engine } = options;
  await loadCommitted(options);
  for (let restarts = 0; ; restarts++) {
    try {
      await trainFrom(options, run.nextStep, await BestStep.of(run, options.recipe.evaluation?.metric ?? null));
      return;
    } catch (error) {
      if (!(error instanceof EngineError) || !RECOVERABLE.has(error.code) || restarts >= MAX_RESTARTS) throw error;
      options.signal.throwIfAborted();
      options.onRestart(error, run.nextStep);
      engine.current = await engine.current.restart();
      await loadCommitted(options);
      await run.resume(error.code);
    }
  }
}

/** A fresh worker holds the initial weights; the last committed step's are on disk. */
async function loadCommitted({ run, engine, pins }: TrainOptions): Promise<void> {
  if (run.committed === null) return;
  const { step, checkpointDigest } = run.committed;
  const loaded = await engine.current.client.load({ path: run.checkpointPath(step), pins });
  if (loaded.checkpointDigest === checkpointDigest) return;
  throw new CheckpointError(
    "checkpoint.mismatch",
    `${run.checkpointPath(step)}: its digest is ${loaded.checkpointDigest}, the run committed ${checkpointDigest}`,
    { hint: "The folder was replaced after the commit; restore it from a backup." },
  );
}

/** Step 0 is the evaluation before training. */
async function trainFrom(options: TrainOptions, firstStep: number, best: BestStep): Promise<void> {
  const { recipe, run, tasks, signal } = options;
  const { steps, checkpointEvery } = recipe.training;
  const { client } = options.engine.current;
  const context = { ...options, client, policy: options.policyFor(client) };
  for (let step = firstStep; step <= steps; step++) {
    signal.throwIfAborted();
    if (step > 0) {
      const loaded = await Promise.all(options.tasksOfStep(step).map((index) => tasks.load(index)));
      const result = await grpoStep(context, step, loaded);
      await appendEpisodes(run, result.episodes, [...result.scores, result.update]);
      options.onStep(result);
    }
    const { evaluation } = recipe;
    const evaluated = evaluation !== null && (step % evaluation.every === 0 || step === steps);
    if (evaluated && options.heldOut !== null) {
      const { episodes, scores, record } = await evaluate(context, options.heldOut, evaluation.tasks, step);
      await appendEpisodes(run, episodes, [...scores, record]);
      options.onEvaluation(record);
      best.see(record);
    }
    // What was evaluated is committed too, so that the best step has its checkpoint.
    if (step > 0 && (evaluated || step % checkpointEvery === 0 || step === steps)) await commit(options, step, best);
  }
}

async function appendEpisodes(
  run: RunFolder,
  episodes: readonly Episode[],
  records: readonly RunRecord[],
): Promise<void> {
  await run.appendPrompts(episodes.flatMap(({ shown }) => shown.flatMap(({ prompt }) => prompt ?? [])));
  await run.append([...episodes.map(({ record }) => record), ...records]);
}

/** The worker writes, syncs and renames; then the commit is appended; then old checkpoints go. */
async function commit({ engine, run, recipe, pins }: TrainOptions, step: number, best: BestStep): Promise<void> {
  const path = run.checkpointPath(step);
  // Left by a life that died between rename and commit: what follows writes the same step again.
  await rm(path, { recursive: true, force: true });
  const { checkpointDigest } = await engine.current.client.save({ path, pins });
  await run.commit({
    version: RECORD_VERSION,
    kind: "step_committed",
    step,
    checkpoint: `checkpoints/${run.checkpointName(step)}`,
    checkpointDigest,
  });
  const folder = join(run.path, "checkpoints");
  const names = await readdir(folder);
  const kept = new Set(
    names
      .filter((name) => /^step-\d+$/.test(name))
      .toSorted()
      .slice(-recipe.training.keepCheckpoints),
  );
  if (best.step !== null) kept.add(run.checkpointName(best.step));
  // The rest is old, or half a checkpoint of a worker that was killed while it wrote.
  for (const name of names.filter((one) => !kept.has(one))) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
