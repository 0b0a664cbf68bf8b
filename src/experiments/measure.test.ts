import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RECORD_VERSION, type RolloutRecord, type RunRecord } from "../core/records.ts";
import { writeSmallRun } from "../report/testing/small-run.ts";
import { RunFolder } from "../runs/run-folder.ts";
import type { Measure } from "./folder.ts";
import { measureRun } from "./measure.ts";

const HELD_OUT: Measure = { source: "held-out", metric: "exact_match", split: "validation" };
const head = { version: RECORD_VERSION } as const;

const ENDED: Pick<RolloutRecord, "turns" | "stop" | "answer" | "nondeterminism"> = {
  turns: [],
  stop: "answered",
  answer: null,
  nondeterminism: [],
};
const ONE = { tokens: 1, patches: 0 };
const QUIET = {
  learningRate: 1,
  loss: 0,
  gradNorm: 1,
  clippedTokens: 0,
  tokens: 1,
  mismatch: { mean: 0, max: 0 },
  forwarded: { sampling: ONE, update: ONE },
  rewardStd: 0,
  rewardParts: {},
  silentGroups: 0,
  groups: 1,
  rows: [],
};

/** The tasks t0, t1, ... of an evaluation after `step`. */
function evaluation(step: number, scores: readonly (number | null)[]): RunRecord[] {
  const episodes = scores.flatMap((score, index): RunRecord[] => {
    const id = `${step}/t${index}/0`;
    const task = { taskId: `t${index}`, taskKind: "none", rollout: 0, task: { question: "", images: [] } };
    const part = { verifier: "exact_match", weight: 1, score, detail: {} };
    return [
      {
        ...head,
        ...task,
        ...ENDED,
        kind: "rollout",
        id,
        step,
        purpose: "evaluation",
      },
      { ...head, kind: "score", rolloutId: id, reward: 9, parts: [{ ...part, verifier: "f1", score: 0.3 }, part] },
    ];
  });
  const mean = scores.reduce<number>((sum, score) => sum + (score ?? 0), 0) / scores.length;
  const split = { split: "validation", count: scores.length, scores: { exact_match: mean }, byKind: {} };
  return [...episodes, { ...head, kind: "evaluation", step, ...split, seconds: { total: 2 } }];
}

function update(step: number, rewardMean: number): RunRecord {
  const seconds = { rollouts: 3, update: 1, engine: 4, tools: 0, control: 0 };
  return { ...head, ...QUIET, kind: "update", step, policyVersion: step, rewardMean, seconds };
}

let folder: string;
const write = async (name: string, records: readonly RunRecord[]): Promise<string> => {
  const run = await RunFolder.create(join(folder, name), { command: "train" });
  await run.append(records);
  await run.close();
  return run.path;
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-measure-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("measureRun", () => {
  it("takes the last held-out evaluation, not the best, and the last tenth of the rewards", async () => {
    const steps = Array.from({ length: 11 }, (_, index) => update(index + 1, index));
    const run = await write("whole", [...evaluation(0, [1, 1]), ...steps, ...evaluation(11, [0.5, 0, null])]);
    const { byTask, ...measured } = await measureRun(run, HELD_OUT);
    // 11 steps: the last two, of 9 and 10. Seconds: 11 steps of 4, two evaluations of 2.
    expect(measured).toEqual({ score: 0.25, reward: 9.5, steps: 11, seconds: 48 });
    expect([...byTask]).toEqual([
      ["t0", 0.5],
      ["t1", 0],
      ["t2", null],
    ]);
  });

  it("leaves out what a resume undid", async () => {
    const undone: RunRecord[] = [update(1, 5), ...evaluation(1, [1, 1])];
    const resume: RunRecord = { ...head, kind: "resume", fromStep: 1, reason: "command" };
    const run = await write("resumed", [...undone, resume, update(1, 3), ...evaluation(1, [0, 1])]);
    expect(await measureRun(run, HELD_OUT)).toMatchObject({ score: 0.5, reward: 3, steps: 1, seconds: 6 });
  });

  it("under report takes the final evaluation after training", async () => {
    await writeSmallRun(join(folder, "report"));
    const { score, byTask } = await measureRun(join(folder, "report"), { ...HELD_OUT, source: "report" });
    expect([score, byTask.size]).toEqual([0.75, 4]);
  });

  it("refuses a run without the number", async () => {
    await expect(measureRun(await write("bare", [update(1, 1)]), HELD_OUT)).rejects.toMatchObject({
      code: "data.no_evaluation",
    });
    await expect(measureRun(await write("other", evaluation(0, [null])), HELD_OUT)).rejects.toMatchObject({
      code: "data.no_score",
    });
  });
});
