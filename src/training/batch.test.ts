import { describe, expect, it } from "vitest";
import { decodeFloat32, encodeFloat32, encodeInt32 } from "../core/arrays.ts";
import { RECORD_VERSION } from "../core/records.ts";
import type { Episode } from "../episodes/episode.ts";
import { rowsOf } from "./batch.ts";

/** An episode whose turns have the given numbers of sampled tokens. */
function episode(id: string, lengths: readonly number[]): Episode {
  const digest = "a".repeat(64);
  const prompt = { digest, ids: "", images: [], length: 0, templateSha256: digest, processorSha256: digest };
  const turns = lengths.map((length) => ({
    promptDigest: digest,
    text: "",
    tokenIds: encodeInt32(Array.from({ length }, (_, t) => t)),
    logprobs: encodeFloat32(new Float32Array(length)),
    stopReason: "end" as const,
    noiseKey: null,
    policyVersion: 0,
    step: { thought: null, actions: [], faults: [] },
    toolRuns: [],
    seconds: {},
  }));
  const record = {
    ...({
      version: RECORD_VERSION,
      kind: "rollout",
      id,
      step: 1,
      purpose: "training",
      taskId: "t",
      taskKind: "none",
      rollout: 0,
    } as const),
    ...({ task: { question: "", images: [] }, turns, stop: "answered", answer: null, nondeterminism: [] } as const),
  };
  return {
    record: { ...record, nondeterminism: [], task: { question: "", images: [] } },
    shown: turns.map(() => ({ messages: [], prompt })),
  };
}

const episodes = [episode("a", [2, 3]), episode("b", [4]), episode("c", [1])];
const advantages = [1.5, -2, 0];

/** Per-token advantages by row. */
const weights = (aggregation: "sequence-mean" | "token-mean" | "sum"): number[][] =>
  rowsOf(episodes, advantages, aggregation).map((row) => [...decodeFloat32(row.wire.advantages)]);

describe("rowsOf", () => {
  it("makes a row per sampled turn of every episode with an advantage", () => {
    const rows = rowsOf(episodes, advantages, "sum");
    expect(rows.map(({ rolloutId, turn, advantage }) => [rolloutId, turn, advantage])).toEqual([
      ["a", 0, 1.5],
      ["a", 1, 1.5],
      ["b", 0, -2],
    ]);
  });

  // By hand: N = 3 episodes, T = 5, 4, 1 tokens, 10 in all. The silent episode still counts.
  it.each([
    ["sequence-mean", 1.5 / (3 * 5), -2 / (3 * 4)],
    ["token-mean", 1.5 / 10, -2 / 10],
    ["sum", 1.5 / 3, -2 / 3],
  ] as const)("%s weighs every token by the formula", (aggregation, a, b) => {
    const f = Math.fround;
    expect(weights(aggregation)).toEqual([
      [f(a), f(a)],
      [f(a), f(a), f(a)],
      [f(b), f(b), f(b), f(b)],
    ]);
  });
});
