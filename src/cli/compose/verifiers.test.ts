import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageFolder } from "../../core/installation.ts";
import { MemoryImageStore } from "../../core/images.ts";
import { buildTinyBert } from "../../embedding/testing/tiny-bert.ts";
import { engineAbsent } from "../../engine/testing/tiny-engine.ts";
import { EvidenceStore } from "../../verifiers/evidence.ts";
import { scoreRollout } from "../../verifiers/score.ts";
import { rollout, task } from "../../verifiers/testing/rollouts.ts";
import { buildVerifiers, openServices, refuseUnscoredMetric } from "./verifiers.ts";

const examples = join(packageFolder, "examples/verifiers");
const context = { images: new MemoryImageStore() };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-verifiers-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("buildVerifiers", () => {
  it("keeps the recipe's order, names and weights, and passes options on", async () => {
    const built = await buildVerifiers(
      { f1: 0.5, tool_success: { weight: -1, withoutRuns: 0 }, exact_match: 1 },
      folder,
    );
    expect(built.map(({ verifier, weight }) => [verifier.name, weight])).toEqual([
      ["f1", 0.5],
      ["tool_success", -1],
      ["exact_match", 1],
    ]);
    const score = await scoreRollout(rollout([], "42"), task(), built, context);
    expect(score.parts.map((part) => part.score)).toEqual([1, 0, 1]);
    expect(score.reward).toBe(0.5 - 0 + 1);
  });

  it.each([
    ["a misspelt verifier", { exact_macth: 1 }, "config.unknown_verifier", "rewards.exact_macth"],
    ["a name of every object", { constructor: 1 }, "config.unknown_verifier", "rewards.constructor"],
    [
      "an unknown option",
      { f1: { weight: 1, seting: "search" } },
      "config.verifier_option",
      "rewards.f1.seting: no such option",
    ],
    ["a wrong value", { f1: { weight: 1, setting: "chess" } }, "config.verifier_option", "rewards.f1.setting"],
    ["a missing option", { search_similarity: 1 }, "config.verifier_option", "rewards.search_similarity.similarity"],
    [
      "an option inside an option",
      { accuracy: { weight: 1, similarity: { modle: "x" } } },
      "config.verifier_option",
      "rewards.accuracy.similarity",
    ],
    ["a file that is not there", { "./none.ts": 1 }, "config.missing_file", "none.ts"],
  ])("%s is named", async (_, rewards, code, message) => {
    await expect(buildVerifiers(rewards as never, folder)).rejects.toMatchObject({
      code,
      exitCode: 2,
      message: expect.stringContaining(message) as string,
    });
  });

  it("suggests the nearest name", async () => {
    await expect(buildVerifiers({ exact_macth: 1 }, folder)).rejects.toMatchObject({
      hint: expect.stringContaining("Did you mean `exact_match`?") as string,
    });
  });
});

describe("a verifier of one's own", () => {
  it("the example counts words, under the recipe's name for it", async () => {
    const built = await buildVerifiers({ "./brief-thoughts.ts": { weight: 2, words: 3 } }, examples);
    const thoughts = ["one two three", "one two three four", ""].map((thought) => ({
      thought,
      actions: [],
      faults: [],
    }));
    const record = rollout(["a", "b", "c"], null);
    const told = { ...record, turns: record.turns.map((turn, i) => ({ ...turn, step: thoughts[i] ?? turn.step })) };
    const { parts, reward } = await scoreRollout(told, task(), built, context);
    expect(parts).toEqual([
      { verifier: "./brief-thoughts.ts", weight: 2, score: 2 / 3, detail: { lengths: [3, 4, 0] } },
    ]);
    expect(reward).toBe(2 * (2 / 3));
    await expect(buildVerifiers({ "./brief-thoughts.ts": { weight: 1, wrods: 3 } }, examples)).rejects.toMatchObject({
      code: "config.verifier_option",
      message: expect.stringContaining("rewards../brief-thoughts.ts.wrods") as string,
    });
  });

  it.each([
    ["a plain object", "plain.mjs", 'export default { name: "one", score: () => ({ score: 1, detail: {} }) };'],
    [
      "TypeScript",
      "typed.ts",
      'const x: number = 1; export default { name: "one", score: () => ({ score: x, detail: {} }) };',
    ],
  ])("%s needs no import", async (_, file, text) => {
    await writeFile(join(folder, file), text);
    const built = await buildVerifiers({ [`./${file}`]: 1 }, folder);
    expect((await scoreRollout(rollout([], null), task(), built, context)).reward).toBe(1);
  });

  it.each([
    ["throws while it is loaded", 'throw new Error("boom");', "boom"],
    ["does not parse", "export default {", "cannot be loaded"],
    ["exports nothing", "export const x = 1;", "default export"],
    ["exports something else", "export default 7;", "default export"],
    ["has no score", 'export default { name: "x" };', "default export"],
  ])("a file that %s is named", async (_, text, message) => {
    const file = `bad-${text.length}.mjs`;
    await writeFile(join(folder, file), text);
    await expect(buildVerifiers({ [`./${file}`]: 1 }, folder)).rejects.toMatchObject({
      code: "config.bad_verifier_file",
      message: expect.stringContaining(message) as string,
    });
  });
});

it("a metric that is not scored is refused", () => {
  expect(() => refuseUnscoredMetric("f1", { f1: { weight: 0 } })).not.toThrow();
  expect(() => refuseUnscoredMetric("f1", { format: 1 })).toThrow("evaluation.metric: f1");
});

describe.skipIf(engineAbsent() !== null)("openServices", () => {
  it("scores a search by the embedding process, and the score holds what scoring again needs", async () => {
    const { path } = await buildTinyBert(folder);
    const built = await buildVerifiers({ search_similarity: { weight: 1, similarity: { model: "./bert" } } }, folder);
    expect(path).toBe(join(folder, "bert"));
    const logFile = join(folder, "embedding.log");
    const services = openServices(built, { folder, logFile, signal: new AbortController().signal });
    const expected = { type: "search", query: "who painted the night watch" } as const;
    const record = rollout(["<think>t</think><search>the night watch in Amsterdam</search>"], null);
    try {
      const first = await scoreRollout(record, task("t", [], expected), services.verifiers, context);
      const detail = first.parts[0]?.detail ?? {};
      expect(detail).toMatchObject({ similarity: "./bert", query: "the night watch in Amsterdam" });
      expect(detail["cosine"]).toBeLessThan(0.9999);
      const store = new EvidenceStore();
      store.add(JSON.parse(JSON.stringify(first)) as typeof first);
      const replayed = built.map((one) => ({ ...one, services: store.services(one.verifier.needs) }));
      expect(await scoreRollout(record, task("t", [], expected), replayed, context)).toEqual(first);
    } finally {
      await services.close();
    }
  });
});
