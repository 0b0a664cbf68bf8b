import { describe, expect, it } from "vitest";
import { RECORD_VERSION, type RolloutRecord, type ToolRun } from "../core/records.ts";
import type { Task } from "../core/task.ts";
import { VERIFIERS } from "./index.ts";
import { defineVerifier, refuseMixedNulls, scoreRollout } from "./verifier.ts";

const task = (kind = "dark", answers = ["42"]): Task => ({
  id: "t",
  public: { question: "q", images: [] },
  private: { answers, kind },
});

const ran = (status: ToolRun["status"], replacesImage: boolean): ToolRun => ({
  tool: "code",
  input: {},
  status,
  text: null,
  images: [],
  replacesImage,
  detail: {},
  seconds: 0,
});

function rollout(texts: string[], answer: string | null, toolRuns: ToolRun[] = []): RolloutRecord {
  const turns = texts.map((text) => ({
    promptDigest: null,
    text,
    tokenIds: null,
    logprobs: null,
    stopReason: "end" as const,
    noiseKey: null,
    policyVersion: null,
    step: { thought: null, actions: [], faults: [] },
    toolRuns,
    seconds: {},
  }));
  const head = {
    version: RECORD_VERSION,
    kind: "rollout",
    id: "1/t/0",
    step: 1,
    purpose: "training",
    taskId: "t",
    taskKind: "dark",
  } as const;
  return {
    ...head,
    rollout: 0,
    task: { question: "q", images: [] },
    turns,
    stop: "answered",
    answer,
    nondeterminism: [],
  };
}

const scoreOf = async (name: string, record: RolloutRecord, of = task()): Promise<number | null | undefined> =>
  (await VERIFIERS[name]?.score(record, of))?.score;

describe("format", () => {
  it("is the share of well-formed steps", async () => {
    const good = "<think>a</think><answer>b</answer>";
    expect(await scoreOf("format", rollout([good, "junk", good, good], "b"))).toBe(0.75);
    expect(await scoreOf("format", rollout([], null))).toBe(0);
  });
});

describe("exact_match", () => {
  it("compares normalised strings with every gold", async () => {
    expect(await scoreOf("exact_match", rollout([], "The 42!"), task("dark", ["41", "42"]))).toBe(1);
    expect(await scoreOf("exact_match", rollout([], "43"))).toBe(0);
    expect(await scoreOf("exact_match", rollout([], null))).toBe(0);
  });
});

describe("f1", () => {
  it("is the best overlap with a gold answer", async () => {
    expect(await scoreOf("f1", rollout([], "The 42 men!"), task("dark", ["42", "7"]))).toBe(2 / 3);
    expect(await scoreOf("f1", rollout([], "42"))).toBe(1);
    expect(await scoreOf("f1", rollout([], null))).toBe(0);
  });
});

describe("code_executed", () => {
  it("wants one snippet that ran and left an image, and does not apply to undamaged images", async () => {
    expect(await scoreOf("code_executed", rollout(["x"], null, [ran("failed", false), ran("ok", true)]))).toBe(1);
    expect(await scoreOf("code_executed", rollout(["x"], null, [ran("ok", false)]))).toBe(0);
    expect(await scoreOf("code_executed", rollout(["x"], null))).toBe(0);
    expect(await scoreOf("code_executed", rollout(["x"], null, [ran("ok", true)]), task("none"))).toBeNull();
  });
});

describe("scoreRollout", () => {
  it("sums weight x score and leaves nulls out", async () => {
    const verifiers = [0.5, null, 1].map((score, index) => ({
      verifier: defineVerifier({ name: `v${index}`, score: () => ({ score, detail: {} }) }),
      weight: index + 1,
    }));
    expect((await scoreRollout(rollout([], null), task(), verifiers)).reward).toBe(0.5 * 1 + 1 * 3);
  });

  it.each([
    ["NaN", () => ({ score: Number.NaN, detail: {} })],
    ["out of range", () => ({ score: 1.5, detail: {} })],
    [
      "throwing",
      () => {
        throw new Error("boom");
      },
    ],
  ])("names a verifier that is %s", async (_, score) => {
    const verifiers = [{ verifier: defineVerifier({ name: "mine", score }), weight: 1 }];
    await expect(scoreRollout(rollout([], null), task(), verifiers)).rejects.toMatchObject({
      code: "config.verifier",
      message: expect.stringContaining("verifier mine, rollout 1/t/0") as string,
    });
  });

  it("refuses null for one rollout of a group and a number for another", async () => {
    const mixed = defineVerifier({
      name: "mixed",
      score: ({ answer }) => ({ score: answer === null ? null : 1, detail: {} }),
    });
    const verifiers = [{ verifier: mixed, weight: 1 }];
    const group = await Promise.all(
      [rollout([], null), rollout([], "x")].map((one) => scoreRollout(one, task(), verifiers)),
    );
    expect(() => refuseMixedNulls(group)).toThrow("null for one rollout");
  });
});
