/**
 * Scores the rollouts of a run again, from its records, its images and its tasks: nothing is sampled, no tool runs.
 */
import { DataError } from "../core/errors.ts";
import type { CanonicalImage, ImageStore } from "../core/images.ts";
import type { RolloutRecord, RunRecord, ScoreRecord } from "../core/records.ts";
import type { LoadedTask } from "../core/task.ts";
import { refuseMixedNulls, scoreRollout } from "../verifiers/score.ts";
import type { WeightedVerifier } from "../verifiers/verifier.ts";

export interface RescoreRequest {
  /** The records that count, in order. */
  records: readonly RunRecord[];
  verifiers: readonly WeightedVerifier[];
  /** The tasks that a step trained on, or was evaluated on. Task sets are deterministic: the same step gives the same tasks. */
  tasksOf: (purpose: RolloutRecord["purpose"], step: number) => Promise<readonly LoadedTask[]>;
  /** Of the run. Only read. */
  images: ImageStore;
  onScored?: (done: number, total: number) => void;
  signal: AbortSignal;
}

/** One rollout before and after; `recorded` is null where the run ended before it was scored. */
export interface Rescored {
  rollout: RolloutRecord;
  recorded: ScoreRecord | null;
  score: ScoreRecord;
}

/**
 * In the order of the records. With the verifiers of the run, `score` equals `recorded`.
 * Throws `data.task_gone`, `data.task_changed`, `data.no_evidence`, `config.mixed_null` and what the verifiers throw.
 */
export async function rescore(request: RescoreRequest): Promise<Rescored[]> {
  const { records, verifiers, tasksOf, signal, onScored } = request;
  const recorded = new Map(records.flatMap((one) => (one.kind === "score" ? [[one.rolloutId, one]] : [])));
  const rollouts = records.filter((one) => one.kind === "rollout");
  const rescored: Rescored[] = [];
  for (const together of batches(rollouts)) {
    signal.throwIfAborted();
    const [{ purpose, step }] = together;
    const tasks = await tasksOf(purpose, step);
    const byId = new Map(tasks.map((loaded) => [loaded.task.id, loaded]));
    const images = withTaskImages(tasks, request.images);
    for (const rollout of together) {
      const { task } = found(rollout, byId.get(rollout.taskId));
      const score = await scoreRollout(rollout, task, verifiers, { images });
      rescored.push({ rollout, recorded: recorded.get(rollout.id) ?? null, score });
      onScored?.(rescored.length, rollouts.length);
    }
    refuseMixed(rescored.slice(-together.length));
  }
  return rescored;
}

type Batch = [RolloutRecord, ...RolloutRecord[]];

/** Neighbours of one step and purpose, which share their tasks. */
function batches(rollouts: readonly RolloutRecord[]): Batch[] {
  const all: Batch[] = [];
  for (const rollout of rollouts) {
    const last = all.at(-1);
    if (last?.[0].step === rollout.step && last[0].purpose === rollout.purpose) last.push(rollout);
    else all.push([rollout]);
  }
  return all;
}

/** Throws where the task that was is not the task that is. */
function found(rollout: RolloutRecord, loaded: LoadedTask | undefined): LoadedTask {
  const details = { rolloutId: rollout.id, taskId: rollout.taskId };
  const hint =
    "Its private part, the gold answers say, is not in the records: restore the task set that the run was made with.";
  if (loaded === undefined) {
    throw new DataError(
      "data.task_gone",
      `rollout ${rollout.id}: the task set no longer has task ${rollout.taskId} at step ${rollout.step}`,
      { hint, details },
    );
  }
  const { question, images } = loaded.task.public;
  const differs =
    question !== rollout.task.question
      ? `question ${JSON.stringify(question.slice(0, 80))}, recorded ${JSON.stringify(rollout.task.question.slice(0, 80))}`
      : images.join() === rollout.task.images.join()
        ? null
        : `images ${images.join(", ") || "none"}, recorded ${rollout.task.images.join(", ") || "none"}`;
  if (differs === null) return loaded;
  throw new DataError("data.task_changed", `rollout ${rollout.id}: task ${rollout.taskId} has changed: ${differs}`, {
    hint,
    details,
  });
}

function refuseMixed(batch: readonly Rescored[]): void {
  const groups = new Map<string, ScoreRecord[]>();
  for (const { rollout, score } of batch) {
    const group = groups.get(rollout.taskId);
    if (group === undefined) groups.set(rollout.taskId, [score]);
    else group.push(score);
  }
  for (const group of groups.values()) refuseMixedNulls(group);
}

/** The run's images, and those of tasks (a clean original that no rollout showed, say). */
function withTaskImages(tasks: readonly LoadedTask[], run: ImageStore): ImageStore {
  const own = new Map<string, CanonicalImage>(
    tasks.flatMap(({ images }) => images.map((image) => [image.sha256, image])),
  );
  return {
    get: (sha256) => {
      const image = own.get(sha256);
      return image === undefined ? run.get(sha256) : Promise.resolve(image);
    },
    put: () => Promise.reject(new TypeError("scoring again writes no images")),
  };
}
