/**
 * The embedding process is killed while a run needs it: it comes back, and says the same.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { embeddingProcess } from "../../src/embedding/process.ts";
import { buildTinyBert } from "../../src/embedding/testing/tiny-bert.ts";
import { has } from "../support/requires.ts";
import { descendants } from "../support/varft.ts";

it.skipIf(!has("engine"))("a killed embedding process is started again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "varft-embedding-"));
  const { path } = await buildTinyBert(folder);
  const embedding = embeddingProcess({ model: path, logFile: join(folder, "embedding.log") });
  try {
    const [before] = await embedding.embed(["the night watch"]);
    const [pid, ...others] = descendants(process.pid, path);
    expect(others).toEqual([]);
    process.kill(pid ?? 0, "SIGKILL");
    const [again, other] = await embedding.embed(["the night watch ", "capital"]);
    expect(again).toEqual(before);
    expect(other).not.toEqual(before);
    expect(descendants(process.pid, path)).not.toContain(pid);
  } finally {
    await embedding.stop();
    await rm(folder, { recursive: true });
  }
});
