import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineAbsent, scratchFolder } from "../engine/testing/tiny-engine.ts";
import { embeddingProcess, type Embedding } from "./process.ts";
import { buildTinyBert, PLAIN_TEXTS } from "./testing/tiny-bert.ts";

describe.skipIf(engineAbsent() !== null)("embeddingProcess", () => {
  let folder: string;
  let path: string;
  let plain: number[][];
  let embedding: Embedding;

  beforeAll(async () => {
    folder = scratchFolder();
    ({ path, plain } = await buildTinyBert(folder));
    embedding = embeddingProcess({ model: path, logFile: join(folder, "embedding.log") });
  });
  afterAll(async () => {
    await embedding.stop();
    rmSync(folder, { recursive: true });
  });

  it("gives the vectors of plain transformers, in the order of the texts", async () => {
    const vectors = await embedding.embed(PLAIN_TEXTS);
    vectors.forEach((vector, row) => {
      expect(vector).toHaveLength(16);
      vector.forEach((value, column) => expect(value).toBeCloseTo(plain[row]?.[column] ?? Number.NaN, 5));
    });
  });

  it("asks once for a text, whoever asks, and equal texts have equal vectors bit by bit", async () => {
    const [one, many] = await Promise.all([
      embedding.embed(["night watch"]),
      embedding.embed(["a", "night watch", ...Array.from({ length: 300 }, (_, index) => `a ${index}`)]),
    ]);
    expect(many[1]).toBe(one[0]);
    expect(many).toHaveLength(302);
  });

  it("takes hostile text: empty, huge, lone surrogates, control characters", async () => {
    const vectors = await embedding.embed(["", "x".repeat(1_000_000), "\ud800", "\u0000[SEP]\u001b[31m"]);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  });

  it("says what is wrong with a model that is not there, and nothing of a token", async () => {
    const broken = embeddingProcess({ model: join(folder, "nowhere"), logFile: join(folder, "broken.log") });
    await expect(broken.embed(["a"])).rejects.toMatchObject({
      code: "checkpoint.not_found",
      exitCode: 6,
      message: expect.stringContaining("nowhere") as string,
    });
    await broken.stop();
  });

  it("nothing runs that nobody asked", async () => {
    const logFile = join(folder, "idle.log");
    await embeddingProcess({ model: path, logFile }).stop();
    expect(existsSync(logFile)).toBe(false);
  });

  it("a call whose process was stopped is told so", async () => {
    await embedding.stop();
    await expect(embedding.embed(["a text that is new"])).rejects.toMatchObject({ code: "engine.stopped" });
  });
});
