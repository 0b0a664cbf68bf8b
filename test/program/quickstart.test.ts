/**
 * `varft quickstart` and `varft sft` as a user runs them, in small: the report of a seed is one file, whoever was killed meanwhile.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageFolder } from "../../src/core/installation.ts";
import { readRecords } from "../../src/runs/read.ts";
import { reportSchema, type Report } from "../../src/report/report.ts";
import { canonicalRecords } from "../support/records.ts";
import { has } from "../support/requires.ts";
import { startVarft, varft, type Finished } from "../support/varft.ts";

let folder: string;
let env: NodeJS.ProcessEnv;

const setsOf = (sets: readonly string[]): string[] => sets.flatMap((set) => ["--set", set]);

/** The file up to its wall-clock figures. */
async function reportOf(run: string): Promise<{ report: Report; withoutSeconds: string }> {
  const text = await readFile(join(folder, run, "report.json"), "utf8");
  const json = JSON.parse(text) as Record<string, unknown>;
  const report = reportSchema.parse(json);
  delete json["seconds"];
  return { report, withoutSeconds: JSON.stringify(json) };
}

async function finished(args: readonly string[]): Promise<Finished> {
  const result = await varft(args, { cwd: folder, env });
  expect(result.stderr).toBe("");
  expect(result.code).toBe(0);
  return result;
}

/** Starts, kills when it says `text`, and expects it dead. */
async function killedAt(args: readonly string[], text: string): Promise<void> {
  const running = startVarft(args, { cwd: folder, env });
  await running.says(text);
  running.child.kill("SIGKILL");
  expect((await running.finished).signal).toBe("SIGKILL");
}

describe.skipIf(!has("sandbox") || !has("engine"))("varft quickstart", () => {
  const args = (run: string): string[] => [
    "quickstart",
    ...setsOf([
      "training.steps=2",
      "training.tasksPerStep={none: 1, rotation90: 1, dark: 1, crop: 1}",
      "training.checkpointEvery=1",
      "evaluation={every: 2, tasks: 8}",
      "report.tasks=16",
      "report.decisionTasks=1",
    ]),
    "--out",
    run,
  ];
  let undisturbed: string;
  let said: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "varft-quickstart-"));
    env = { VARFT_HOME: process.env["VARFT_HOME"] ?? join(packageFolder, ".varft") };
    said = (await finished(args("whole"))).stdout;
    undisturbed = (await reportOf("whole")).withoutSeconds;
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("ends with a table by kind, the report, and what to do next", async () => {
    for (const text of ["before", "after", "no tools", "supervised", "crop", "control plane", "report.html", "next"]) {
      expect(said).toContain(text);
    }
    const { report } = await reportOf("whole");
    expect(report.steps).toBe(2);
    for (const result of [report.before, report.after, report.withoutTools, report.supervised]) {
      expect(result).toMatchObject({ count: 16 });
      expect(Object.keys(result?.byKind ?? {})).toHaveLength(8);
    }
    // The shipped cold start reads clean images and follows the protocol before any reward.
    expect(report.before.byKind["none"]).toBe(1);
    expect(report.before.stops).toEqual({ answered: 16 });
    expect(await readdir(join(folder, "whole"))).toEqual(expect.arrayContaining(["report.html", "evaluations"]));
  });

  it("what the tools do: with them off, code is called and changes nothing", async () => {
    const images = async (name: string): Promise<boolean[]> => {
      const { records } = await readRecords(join(folder, "whole/evaluations", name, "records.jsonl"));
      return records.flatMap((record) =>
        record.kind === "rollout"
          ? record.turns.flatMap(({ toolRuns }) => toolRuns.map(({ images }) => images[0] === record.task.images[0]))
          : [],
      );
    };
    const off = await images("without-tools");
    expect(off.length).toBeGreaterThan(0);
    expect(off).not.toContain(false);
    expect(await images("after")).toContain(false);
  });

  it("killed during training: not reported yet; resumed, the same report byte for byte apart from times", async () => {
    await killedAt(args("training"), " 1/2 ");
    const { code, stderr } = await varft(["report", "training"], { cwd: folder, env });
    expect(code).toBe(3);
    expect(stderr).toMatch(/data\.run_unfinished[^]*[01] of 2 steps[^]*--resume/);
    await finished(["quickstart", "--resume", "training"]);
    expect((await reportOf("training")).withoutSeconds).toBe(undisturbed);
  }, 240_000);

  it("killed during the final evaluations, resumed: the same report again", async () => {
    await killedAt(args("reporting"), "before training");
    await finished(["quickstart", "--resume", "reporting"]);
    expect((await reportOf("reporting")).withoutSeconds).toBe(undisturbed);
  }, 240_000);

  it("a finished one is reported again without work", async () => {
    const before = await readFile(join(folder, "whole/report.json"), "utf8");
    await finished(["report", "whole"]);
    expect(await readFile(join(folder, "whole/report.json"), "utf8")).toBe(before);
  });
});

describe.skipIf(!has("sandbox") || !has("engine"))("varft sft", () => {
  const recipe = join(packageFolder, "recipes/quickstart-cold-start.yaml");
  const rows = (turn: string, kinds: string): string =>
    `{count: 4, turn: ${turn}, kinds: ${kinds}, chances: {none: 0, right: 1}}`;
  const args = (run: string): string[] => [
    "sft",
    recipe,
    ...setsOf([
      "model.new.shape={}",
      `stages=[{name: read, steps: 3, learningRate: 1e-3, rows: [${rows("reading", "[none]")}]}, {name: repair, steps: 3, learningRate: 1e-3, rows: [${rows("answer", "[dark, crop]")}]}]`,
      "checkpointEvery=2",
      "decisionTasks=1",
    ]),
    "--out",
    run,
  ];
  const result = async (run: string): Promise<unknown[]> => [
    await canonicalRecords(join(folder, run)),
    await readFile(join(folder, run, "decisions.json"), "utf8"),
    (await readFile(join(folder, run, "model/model.safetensors"))).toString("base64"),
  ];
  let undisturbed: unknown[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "varft-sft-"));
    env = { VARFT_HOME: process.env["VARFT_HOME"] ?? join(packageFolder, ".varft") };
    const { stdout } = await finished(args("whole"));
    expect(stdout).toMatch(/probability of the right choice after stage repair[^]*quadrant/);
    undisturbed = await result("whole");
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("killed in the second stage, resumed: the same weights bit for bit", async () => {
    await killedAt(args("killed"), "after stage read");
    await finished(["sft", "--resume", "killed"]);
    expect(await result("killed")).toEqual(undisturbed);
  });

  it("refuses to write over a model, and to resume a run of another command", async () => {
    const over = await varft([...args("over"), "--export", join(folder, "whole/model")], { cwd: folder, env });
    expect(over.code).toBe(2);
    expect(over.stderr).toContain("config.export_exists");
    const other = await varft(["train", "--resume", "whole"], { cwd: folder, env });
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/config\.other_command[^]*varft sft/);
  });
});
