/**
 * Checkpoints of a run, for every kind of training: load what was committed, commit a step, drop what is old.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError } from "../core/errors.ts";
import { RECORD_VERSION } from "../core/records.ts";
import type { EngineClient } from "../engine/client.ts";
import type { RunFolder } from "../runs/run-folder.ts";

/** A fresh worker holds the initial weights; the last committed step's are on disk. */
export async function loadCommitted(run: RunFolder, client: EngineClient, pins: Record<string, string>): Promise<void> {
  if (run.committed === null) return;
  const { step, checkpointDigest } = run.committed;
  const loaded = await client.load({ path: run.checkpointPath(step), pins });
  if (loaded.checkpointDigest === checkpointDigest) return;
  throw new CheckpointError(
    "checkpoint.mismatch",
    `${run.checkpointPath(step)}: its digest is ${loaded.checkpointDigest}, the run committed ${checkpointDigest}`,
    { hint: "The folder was replaced after the commit; restore it from a backup." },
  );
}

export interface Commit {
  step: number;
  pins: Record<string, string>;
  /** Newest checkpoints to keep; older ones are deleted after the commit. */
  keep: number;
  /** Steps whose checkpoints are kept whatever their age. */
  best: readonly number[];
}

/** The worker writes, syncs and renames; then the commit is appended; then old checkpoints go. */
export async function commitStep(
  run: RunFolder,
  client: EngineClient,
  { step, pins, keep, best }: Commit,
): Promise<void> {
  const path = run.checkpointPath(step);
  // Left by a life that died between rename and commit: what follows writes the same step again.
  await rm(path, { recursive: true, force: true });
  const { checkpointDigest } = await client.save({ path, pins });
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
      .slice(-keep),
  );
  for (const one of best) kept.add(run.checkpointName(one));
  // The rest is old, or half a checkpoint of a worker that was killed while it wrote.
  for (const name of names.filter((one) => !kept.has(one))) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
