/**
 * `varft sweep` with real runs of a random network: what it compares, and that nothing that was finished is lost.
 */
import { cp, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sweepCommand } from "../../src/cli/commands/sweep.ts";
import { buildTiny } from "../../src/engine/testing/tiny-engine.ts";
import { bootstrapPairedDifference } from "../../src/evaluation/bootstrap.ts";
import { readExperiment } from "../../src/experiments/folder.ts";
import { resultsSchema, type Results } from "../../src/experiments/results.ts";
import { readRecords } from "../../src/runs/read.ts";
import { has } from "../support/requires.ts";
import { startVarft, varft } from "../support/varft.ts";

/** The rate is high enough that one step changes what the network says. */
const RECIPE = `
name: swept
model: { path: tiny }
engine: { threads: 1 }
tasks: { set: damaged-digits }
environment: { maxTurns: 1, prompts: varft:coding-brief }
sampling: { stop: [] }
training: { steps: 1, tasksPerStep: 1, groupSize: 2, learningRate: 0.01 }
evaluation: { every: 1, tasks: 3, metric: ./vowels.ts }
rewards: { ./vowels.ts: 1 }
`;
/** A number that a random network does not always get the same. */
const VERIFIER = `export default {
  name: "vowels",
  score: ({ turns }) => {
    const text = turns[0].text;
    return { score: text.replace(/[^aeiou ]/gi, "").length / Math.max(1, text.length), detail: {} };
  },
};
`;
const METRIC = "./vowels.ts";

describe.skipIf(!has("sandbox") || !has("engine"))("varft sweep", () => {
  let folder: string;
  let whole: Results;
  const file = (...parts: string[]): string => join(folder, ...parts);
  const withoutSeconds = async (experiment: string): Promise<string> => {
    const text = await readFile(file(experiment, "results.json"), "utf8");
    return text.slice(0, text.indexOf('  "seconds": {'));
  };
  const resume = (experiment: string) => varft(["sweep", "--resume", experiment], { cwd: folder });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "varft-sweep-"));
    await buildTiny(folder);
    await writeFile(file("recipe.yaml"), RECIPE);
    await writeFile(file("vowels.ts"), VERIFIER);
    const args = ["sweep", "recipe.yaml", "--sweep", "sampling.maxTokens=4,9", "--seeds", "1,2", "--out", "whole"];
    const { code, stdout, stderr } = await varft(args, { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("2 settings x 2 seeds, 4 runs in whole");
    expect(stdout).toMatch(/run 4\/4 · sampling\.maxTokens=9 · seed 2 · about .* left/);
    whole = resultsSchema.parse(JSON.parse(await readFile(file("whole/results.json"), "utf8")));
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("makes ordinary run folders, and takes their last held-out evaluations", async () => {
    const { seeds, settings } = await readExperiment(file("whole"));
    expect([seeds, settings.map(({ values }) => values["sampling.maxTokens"])]).toEqual([
      [1, 2],
      ["4", "9"],
    ]);
    const scores = new Map<string, number[]>();
    for (const { folder: run, score, seed, setting, steps } of whole.runs) {
      const manifest = JSON.parse(await readFile(file("whole", run, "run.json"), "utf8")) as Record<string, unknown>;
      expect(manifest).toMatchObject({ command: "train", recipe: { seed, sampling: { maxTokens: [4, 9][setting] } } });
      const { records, committed } = await readRecords(file("whole", run, "records.jsonl"));
      expect([committed?.step, steps]).toEqual([1, 1]);
      const last = records.findLast((record) => record.kind === "evaluation");
      expect(score).toBeCloseTo(last?.scores[METRIC] ?? Number.NaN, 12);
      const parts = records.flatMap((record) =>
        record.kind === "score" && record.rolloutId.startsWith("1/") ? [record] : [],
      );
      const held = parts.filter(({ rolloutId }) => rolloutId.includes("/validation/"));
      scores.set(
        run,
        held.map((record) => record.parts[0]?.score ?? Number.NaN),
      );
    }
    expect(new Set(whole.runs.map(({ score }) => score)).size).toBeGreaterThan(1);

    const [first, second] = whole.settings;
    const [a1, b1, a2, b2] = whole.runs.map(({ score }) => score ?? Number.NaN) as [number, number, number, number];
    expect(first?.score?.mean).toBeCloseTo((a1 + a2) / 2, 12);
    // Two values: s / sqrt(2) is half their distance.
    expect(first?.score?.overSeeds?.[1]).toBeCloseTo((a1 + a2) / 2 + (12.7062047 * Math.abs(a1 - a2)) / 2, 6);
    expect(second?.difference?.mean).toBeCloseTo((b1 - a1 + b2 - a2) / 2, 12);
    const taskMeans = (setting: number): number[] => {
      const [one = [], other = []] = whole.runs.flatMap((run) =>
        run.setting === setting ? [scores.get(run.folder)!] : [],
      );
      return one.map((score, index) => (score + (other[index] ?? Number.NaN)) / 2);
    };
    const { low, high } = bootstrapPairedDifference(taskMeans(1), taskMeans(0), { seed: 0 });
    expect(second?.difference?.overTasks?.[0]).toBeCloseTo(low, 12);
    expect(second?.difference?.overTasks?.[1]).toBeCloseTo(high, 12);
    expect(whole.seconds.total).toBeCloseTo(
      whole.seconds.runs.reduce<number>((sum, seconds) => sum + (seconds ?? Number.NaN), 0),
      6,
    );
    const page = await readFile(file("whole/experiment.md"), "utf8");
    expect(page.split("\n").filter((line) => line.startsWith("| sampling.maxTokens="))).toHaveLength(2);
    expect((await readFile(file("whole/experiment.csv"), "utf8")).split("\r\n")).toHaveLength(4);
  });

  it("goes on past a run that fails and after kill -9, runs nothing twice, and ends with the same results", async () => {
    await cp(file("whole"), file("cut"), { recursive: true });
    const damaged = file("cut/runs/01-seed-2/records.jsonl");
    const intact = await readFile(damaged, "utf8");
    await writeFile(damaged, `${intact}{\n`);
    await rm(file("cut/runs/02-seed-2"), { recursive: true });
    const finished = file("cut/runs/02-seed-1/records.jsonl");
    const before = await stat(finished);

    const killed = startVarft(["sweep", "--resume", "cut"], { cwd: folder });
    // Run 4 has a worker and is in its first step.
    await killed.says("held-out after step 0");
    killed.child.kill("SIGKILL");
    const first = await killed.finished;
    expect(first.signal).toBe("SIGKILL");
    expect(first.stdout).toContain("run 2/4 · sampling.maxTokens=9 · seed 1 · finished before");
    expect(first.stderr).toContain("data.bad_record");

    const second = await resume("cut");
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(
      /1 of 4 runs failed: runs\/01-seed-2 \(data\.bad_record\)[^]*varft sweep --resume cut/,
    );
    const partial = resultsSchema.parse(JSON.parse(await readFile(file("cut/results.json"), "utf8")));
    expect(partial.settings.map(({ seeds }) => seeds)).toEqual([[1], [1, 2]]);
    expect(partial.settings[1]?.difference).toMatchObject({ overSeeds: null });

    await writeFile(damaged, intact);
    const { code, stderr } = await resume("cut");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await withoutSeconds("cut")).toBe(await withoutSeconds("whole"));
    expect((await stat(finished)).mtimeMs).toBe(before.mtimeMs);
  }, 240_000);

  it("refuses a bad value before the first run, a second writer, other flags beside --resume, a folder in use", async () => {
    const sweep = (...args: string[]): Promise<unknown> =>
      sweepCommand(new AbortController().signal).parseAsync(args, { from: "user" });
    const recipe = file("recipe.yaml");
    await expect(
      sweep(recipe, "--sweep", "training.learningRate=1e-4,abc", "--out", file("never")),
    ).rejects.toMatchObject({
      code: "config.invalid_recipe",
      message: expect.stringContaining('expected number, got "abc" (--sweep training.learningRate=abc)') as string,
    });
    await expect(stat(file("never"))).rejects.toMatchObject({ code: "ENOENT" });
    // The pid of another living process.
    await writeFile(file("whole/run.lock"), String(process.ppid));
    await expect(sweep("--resume", file("whole"))).rejects.toMatchObject({ code: "data.run_locked" });
    await rm(file("whole/run.lock"));
    await expect(sweep("--resume", file("whole"), "--seeds", "3")).rejects.toMatchObject({
      code: "config.resume_alone",
    });
    await expect(sweep("--resume", file("none"))).rejects.toMatchObject({ code: "data.no_experiment" });
    await expect(sweep()).rejects.toMatchObject({ code: "config.no_recipe" });
    await expect(sweep(recipe, "--seeds", "1", "--out", file("whole"))).rejects.toMatchObject({
      code: "data.experiment_exists",
      hint: expect.stringContaining("varft sweep --resume") as string,
    });
  });
});
