/**
 * `varft train` with a LoRA adapter and early stopping: what is on disk, and a resume that has nothing left to do.
 */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRecords } from "../../src/runs/read.ts";
import { buildTiny } from "../../src/engine/testing/tiny-engine.ts";
import { has } from "../support/requires.ts";
import { varft } from "../support/varft.ts";

/** Random weights never answer right, so every evaluation is 0 and the second brings no new best. */
const RECIPE = `
name: adapter
model: { path: tiny }
engine: { threads: 1, lora: { rank: 2, alpha: 4, targets: [q_proj, v_proj] }, gradientCheckpointing: true }
tasks: { set: damaged-digits }
environment: { maxTurns: 1, prompts: varft:coding-brief }
sampling: { maxTokens: 4, stop: [] }
training: { steps: 9, tasksPerStep: 1, groupSize: 2, schedule: linear, scheduleSteps: 1600, keepCheckpoints: 1, keepBest: 2 }
evaluation: { every: 1, tasks: 1, patience: 2 }
rewards: { exact_match: 1 }
`;

describe.skipIf(!has("sandbox") || !has("engine"))("varft train with an adapter", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "varft-adapter-"));
    await buildTiny(folder);
    await writeFile(join(folder, "recipe.yaml"), RECIPE);
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("stops when patience is used up, with checkpoints of the adapter alone, and stays stopped", async () => {
    const whole = await varft(["train", "recipe.yaml", "--out", "run"], { cwd: folder });
    expect(whole.stderr).toBe("");
    expect(whole.stdout).toContain("stopped early after step 3: the best was step 1");
    const { records } = await readRecords(join(folder, "run/records.jsonl"));
    const rates = records.flatMap((record) => (record.kind === "update" ? [record.learningRate] : []));
    expect(rates).toEqual([1e-6, expect.closeTo((1e-6 * 1599) / 1600, 18), expect.closeTo((1e-6 * 1598) / 1600, 18)]);
    // The newest and the two best, of which the earliest of equals come first.
    const names = await readdir(join(folder, "run/checkpoints"));
    expect(names).toHaveLength(3);
    for (const name of names)
      expect((await readdir(join(folder, "run/checkpoints", name))).toSorted()).toEqual([
        "adapter_config.json",
        "adapter_model.safetensors",
        "manifest.json",
        "optimizer.safetensors",
      ]);
    const again = await varft(["train", "--resume", "run"], { cwd: folder });
    expect(again.stdout).toContain("stopped early after step 3");
    const after = await readRecords(join(folder, "run/records.jsonl"));
    expect(after.records.filter(({ kind }) => kind === "update")).toHaveLength(3);
  }, 240_000);
});
