import { describe, expect, it } from "vitest";
import { MemoryImageStore } from "../core/images.ts";
import type { ScoreRecord } from "../core/records.ts";
import { EvidenceStore } from "./evidence.ts";
import { VERIFIERS } from "./index.ts";
import { scoreRollout } from "./score.ts";
import { rollout, task } from "./testing/rollouts.ts";
import { defineVerifier, type Services, type WeightedVerifier } from "./verifier.ts";

const context = { images: new MemoryImageStore() };
const SEARCH = "<think>t</think><search>who painted it</search>";
const of = task("t", ["Paris"], { type: "search", query: "painter of it" });

/** Vectors and replies that hang on the text, with every bit of a float. */
function services(calls: string[]): Services {
  return {
    embedding: {
      model: "e",
      embed: (texts) => {
        calls.push(...texts);
        return Promise.resolve(
          texts.map((text) => Float32Array.from([Math.cos(text.length / 50), Math.sin(text.length / 50)])),
        );
      },
    },
    judge: {
      model: "m",
      ask: ({ user }) => {
        calls.push(user);
        return Promise.resolve('{"score": 0.3, "reason": "so \\u2028 so"}');
      },
    },
  };
}

function verifiers(given?: Services, store?: EvidenceStore): WeightedVerifier[] {
  const similarity = VERIFIERS["search_similarity"]?.configure({ similarity: { model: "e" } }, "s");
  const judge = VERIFIERS["judge"]?.configure({ model: "m", url: "http://127.0.0.1:1/v1" }, "j");
  return [similarity, judge].flatMap((verifier) =>
    verifier === undefined
      ? []
      : [{ verifier, weight: 0.7, services: store?.services(verifier.needs, given) ?? given ?? {} }],
  );
}

/** As it comes back from a file. */
const reread = (score: ScoreRecord): ScoreRecord => JSON.parse(JSON.stringify(score)) as ScoreRecord;

describe("evidence", () => {
  it("gives the same score record again without a service", async () => {
    const calls: string[] = [];
    const first = await scoreRollout(rollout([SEARCH], "Lyon"), of, verifiers(services(calls)), context);
    expect(first.parts.every(({ score, detail }) => score !== 0 && "evidence" in detail)).toBe(true);
    expect(calls).toHaveLength(3);
    const store = new EvidenceStore();
    store.add(reread(first));
    const second = await scoreRollout(rollout([SEARCH], "Lyon"), of, verifiers(undefined, store), context);
    expect(second).toEqual(reread(first));
  });

  it("says what was never asked, and asks it where it may", async () => {
    const store = new EvidenceStore();
    const again = scoreRollout(rollout([SEARCH], "Lyon"), of, verifiers(undefined, store), context);
    await expect(again).rejects.toMatchObject({ code: "data.no_evidence", exitCode: 3 });
    const calls: string[] = [];
    await scoreRollout(rollout([SEARCH], "Lyon"), of, verifiers(services(calls), store), context);
    expect(calls).toHaveLength(3);
  });

  it("of another model counts for nothing", async () => {
    const store = new EvidenceStore();
    store.add(await scoreRollout(rollout([SEARCH], "Lyon"), of, verifiers(services([])), context));
    const { embedding } = store.services({ embedding: { model: "other" } });
    await expect(embedding?.embed(["who painted it"])).rejects.toMatchObject({ code: "data.no_evidence" });
  });

  it("holds no more than was asked, and damaged evidence is passed over", async () => {
    const silent = await scoreRollout(rollout([], null), of, verifiers(services([])), context);
    expect(silent.parts.map(({ detail }) => "evidence" in detail)).toEqual([false, false]);
    const store = new EvidenceStore();
    const damaged = { embedding: { model: 7, vectors: "none" } };
    store.add({ ...silent, parts: silent.parts.map((part) => ({ ...part, detail: { evidence: damaged } })) });
    await expect(store.services({ embedding: { model: "e" } }).embedding?.embed(["a"])).rejects.toMatchObject({
      code: "data.no_evidence",
    });
  });
});

describe("what a verifier returns is checked", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 1],
    ["infinity", { score: Infinity, detail: {} }],
    ["below 0", { score: -1e-9, detail: {} }],
    ["a text", { score: "1", detail: {} }],
    ["no score", { detail: {} }],
    ["no detail", { score: 1 }],
    ["a list as detail", { score: 1, detail: [] }],
    ["a detail that is not JSON", { score: 1, detail: circular }],
    ["a bigint", { score: 1, detail: { n: 1n } }],
  ])("%s", async (_, returned) => {
    const verifier = defineVerifier({ name: "mine", score: () => returned as never });
    await expect(scoreRollout(rollout([], null), task(), [{ verifier, weight: 1 }], context)).rejects.toMatchObject({
      code: "config.verifier",
      exitCode: 2,
      message: expect.stringContaining("verifier mine, rollout 1/t/0") as string,
    });
  });

  it("asking a service that was not declared is named", async () => {
    const verifier = defineVerifier({
      name: "mine",
      score: async (_rollout, _task, { embed }) => ({ score: (await embed(["a"])).length, detail: {} }),
    });
    await expect(scoreRollout(rollout([], null), task(), [{ verifier, weight: 1 }], context)).rejects.toMatchObject({
      code: "config.no_embedding",
      message: expect.stringContaining("verifier mine") as string,
    });
  });

  it("a typed error of a store or service stays what it is", async () => {
    const verifier = defineVerifier({
      name: "mine",
      score: async (_rollout, _task, { images }) => ({ score: (await images.get("0")).width, detail: {} }),
    });
    await expect(scoreRollout(rollout([], null), task(), [{ verifier, weight: 1 }], context)).rejects.toMatchObject({
      code: "data.image_missing",
    });
  });
});
