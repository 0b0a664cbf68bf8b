/**
 * Crash safety of `varft train`: whoever is killed, whenever, the run ends bitwise as the undisturbed one.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageFolder } from "../../src/core/installation.ts";
import { readRecords } from "../../src/runs/read.ts";
import { canonicalRecords } from "../support/records.ts";
import { has } from "../support/requires.ts";
import { descendants, startVarft, varft } from "../support/varft.ts";

const STEPS = 4;
const TASKS = 4;
const GROUP = 4;
/** Before training, after steps 2 and 4. */
const EVALUATIONS = 3;
const recipe = join(packageFolder, "recipes/quickstart.yaml");
let folder: string;
let env: NodeJS.ProcessEnv;
let undisturbed: string[];

const argsFor = (run: string): string[] => {
  const sets = [
    `training.steps=${STEPS}`,
    "training.tasksPerStep={none: 1, rotation90: 1, dark: 1, crop: 1}",
    `training.groupSize=${GROUP}`,
    "training.checkpointEvery=1",
    "evaluation={every: 2, tasks: 6}",
  ];
  return ["train", recipe, ...sets.flatMap((set) => ["--set", set]), "--out", run];
};
const records = (run: string): Promise<string[]> => canonicalRecords(join(folder, run));

/** The last two, and the best held-out step. */
const checkpointsOf = async (run: string): Promise<string[]> =>
  (await readdir(join(folder, run, "checkpoints"))).sort();

async function resumesOf(run: string): Promise<string[]> {
  const { records: all } = await readRecords(join(folder, run, "records.jsonl"));
  return all.flatMap((record) => (record.kind === "resume" ? [record.reason] : []));
}

describe.skipIf(!has("sandbox") || !has("engine"))("varft train", () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "varft-resume-"));
    env = { VARFT_HOME: process.env["VARFT_HOME"] ?? join(packageFolder, ".varft") };
    const { code, stderr } = await varft(argsFor("whole"), { cwd: folder, env });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    undisturbed = await records("whole");
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("writes rollouts, scores, updates and commits, and code really ran", () => {
    const count = (kind: string): number => undisturbed.filter((line) => line.includes(`"kind":"${kind}"`)).length;
    expect({
      rollouts: count("rollout"),
      scores: count("score"),
      updates: count("update"),
      commits: count("step_committed"),
    }).toEqual({
      rollouts: STEPS * TASKS * GROUP + EVALUATIONS * 6,
      scores: STEPS * TASKS * GROUP + EVALUATIONS * 6,
      updates: STEPS,
      commits: STEPS,
    });
    const worked = undisturbed.filter(
      (line) => line.includes('"kind":"rollout"') && line.includes('"replacesImage":true'),
    );
    expect(worked.length).toBeGreaterThan(0);
    for (const line of undisturbed.filter((one) => one.includes('"kind":"update"'))) {
      const update = JSON.parse(line) as { gradNorm: number; mismatch: { max: number } };
      expect(update.gradNorm).toBeGreaterThan(0);
      expect(update.mismatch.max).toBeLessThan(1e-4);
    }
  });

  it.each([
    ["between steps", 0],
    ["inside a step", 250],
  ])("the command killed %s: --resume ends bitwise equal", async (name, delayMs) => {
    const run = `command-${name.replaceAll(" ", "-")}`;
    const first = startVarft(argsFor(run), { cwd: folder, env });
    await first.says(` 2/${STEPS} `);
    await sleep(delayMs);
    const children = descendants(first.child.pid ?? 0, "varft");
    first.child.kill("SIGKILL");
    expect((await first.finished).signal).toBe("SIGKILL");
    expect(children.length).toBeGreaterThan(0);
    const { code, stderr } = await varft(["train", "--resume", run], { cwd: folder, env });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(await records(run)).toEqual(undisturbed);
    expect(await resumesOf(run)).toEqual(["command"]);
    expect(await checkpointsOf(run)).toEqual(await checkpointsOf("whole"));
    for (const pid of children) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it.each([
    ["between steps", 0],
    ["inside a step", 250],
  ])("the worker killed %s: the run goes on by itself and ends bitwise equal", async (name, delayMs) => {
    const run = `worker-${name.replaceAll(" ", "-")}`;
    const running = startVarft(argsFor(run), { cwd: folder, env });
    await running.says(` 2/${STEPS} `);
    await sleep(delayMs);
    const workers = descendants(running.child.pid ?? 0, "varft_engine");
    expect(workers.length).toBeGreaterThan(0);
    for (const pid of workers) process.kill(pid, "SIGKILL");
    const { code, stdout, stderr } = await running.finished;
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain("worker lost");
    expect(await records(run)).toEqual(undisturbed);
    expect(await resumesOf(run)).toHaveLength(1);
  });

  it("an interrupt ends it with 130, says how to go on, and leaves no process", async () => {
    const running = startVarft(argsFor("interrupted"), { cwd: folder, env });
    await running.says(` 1/${STEPS} `);
    const children = descendants(running.child.pid ?? 0, "varft");
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.finished;
    expect({ code, stderr }).toEqual({ code: 130, stderr: "interrupted\n" });
    expect(stdout).toContain(`--resume ${join(folder, "interrupted")}`);
    for (const pid of children) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    expect((await varft(["train", "--resume", "interrupted"], { cwd: folder, env })).code).toBe(0);
    expect(await records("interrupted")).toEqual(undisturbed);
  });

  it("a damaged checkpoint is refused, naming the file and both hashes", async () => {
    const copy = join(folder, "damaged");
    await cp(join(folder, "whole"), copy, { recursive: true });
    const weights = join(copy, "checkpoints", `step-00000${STEPS}`, "model.safetensors");
    const bytes = await readFile(weights);
    const at = bytes.length - 100;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(weights, bytes);
    const { code, stderr } = await varft(["train", "--resume", "damaged"], { cwd: folder, env });
    expect(code).toBe(6);
    expect(stderr).toMatch(/checkpoint\.corrupt[^]*model\.safetensors[^]*[0-9a-f]{8}[^]*[0-9a-f]{8}/);
  });

  it("a finished run resumes to nothing", async () => {
    const { code, stdout } = await varft(["train", "--resume", "whole"], { cwd: folder, env });
    expect(code).toBe(0);
    expect(stdout).toContain("done");
    expect(await records("whole")).toEqual(undisturbed);
  });
});
