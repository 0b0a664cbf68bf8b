import { spawnSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canonicalFromPixels } from "../core/images.ts";
import { RECORD_VERSION, type RolloutRecord, type RunRecord, type StepCommitted } from "../core/records.ts";
import { writing } from "./disk.ts";
import { readRecords } from "./read.ts";
import { RunFolder } from "./run-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-run-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const rollout = (step: number): RolloutRecord => ({
  version: RECORD_VERSION,
  kind: "rollout",
  id: `${step}/t/0`,
  step,
  purpose: "training",
  taskId: "t",
  taskKind: "none",
  rollout: 0,
  task: { question: "q", images: [] },
  turns: [],
  stop: "answered",
  answer: "a",
  nondeterminism: [],
});
const score = (step: number): RunRecord => ({
  version: RECORD_VERSION,
  kind: "score",
  rolloutId: `${step}/t/0`,
  reward: 1,
  parts: [],
});
const committed = (step: number): StepCommitted => ({
  version: RECORD_VERSION,
  kind: "step_committed",
  step,
  checkpoint: `checkpoints/step-${step}`,
  checkpointDigest: "a".repeat(64),
});

async function written(): Promise<string> {
  const path = join(folder, "run");
  const run = await RunFolder.create(path, { command: "test" });
  await run.append([rollout(1), score(1)]);
  await run.commit(committed(1));
  await run.append([rollout(2), score(2)]);
  await run.close();
  return path;
}

const kinds = async (path: string): Promise<string[]> =>
  (await readRecords(join(path, "records.jsonl"))).records.map((record) => record.kind);

describe("RunFolder", () => {
  it("reads back what was appended, and the last commit", async () => {
    const path = await written();
    const { records, committed: last } = await readRecords(join(path, "records.jsonl"));
    expect(records).toEqual([rollout(1), score(1), committed(1), rollout(2), score(2)]);
    expect(last).toEqual(committed(1));
  });

  it("drops a torn last line on open, and a resume hides what was not committed", async () => {
    const path = await written();
    await appendFile(join(path, "records.jsonl"), '{"version":1,"kind":"rollo');
    const run = await RunFolder.open(path);
    expect(run.committed?.step).toBe(1);
    await run.append([{ version: RECORD_VERSION, kind: "resume", fromStep: 2, reason: "test" }, rollout(2)]);
    await run.close();
    expect(await kinds(path)).toEqual(["rollout", "score", "step_committed", "resume", "rollout"]);
  });

  it("names file and line of a damaged record and of a newer version", async () => {
    const path = await written();
    const file = join(path, "records.jsonl");
    const lines = (await readFile(file, "utf8")).split("\n");
    await writeFile(file, [lines[0], "{oops", ...lines.slice(2)].join("\n"));
    await expect(readRecords(file)).rejects.toMatchObject({
      code: "data.bad_record",
      message: expect.stringContaining(`${file}:2:`) as string,
    });
    await writeFile(file, `${JSON.stringify({ ...rollout(1), version: 2 })}\n`);
    await expect(readRecords(file)).rejects.toMatchObject({ code: "data.record_version" });
  });

  it("ignores fields and kinds that it does not know", async () => {
    const path = await written();
    await appendFile(join(path, "records.jsonl"), `${JSON.stringify({ version: 1, kind: "later" })}\n`);
    await appendFile(join(path, "records.jsonl"), `${JSON.stringify({ ...rollout(3), later: 1 })}\n`);
    expect((await kinds(path)).at(-1)).toBe("rollout");
  });

  it("refuses a folder that is in use, taken or none", async () => {
    const path = join(folder, "run");
    const run = await RunFolder.create(path, {});
    // A second process, since one process may reopen what it lost.
    const code = `import("${new URL("./run-folder.ts", import.meta.url).href}").then(async ({ RunFolder }) => { try { await RunFolder.open(${JSON.stringify(path)}); } catch (error) { console.log(error.code); } });`;
    const second = spawnSync(process.execPath, ["--import", "tsx", "-e", code], { encoding: "utf8" });
    expect(second.stdout.trim()).toBe("data.run_locked");
    await run.append([rollout(1)]);
    await run.close();
    await expect(RunFolder.create(path, {})).rejects.toMatchObject({ code: "data.run_exists" });
    await expect(RunFolder.open(join(folder, "none"))).rejects.toMatchObject({ code: "data.no_run" });
  });

  it("a run that never wrote a record can begin again in its folder", async () => {
    const path = join(folder, "run");
    await (await RunFolder.create(path, { try: 1 })).close();
    await (await RunFolder.create(path, { try: 2 })).close();
    expect(await RunFolder.manifest(path)).toMatchObject({ try: 2 });
  });

  it("takes over the lock of a process that is gone", async () => {
    const path = await written();
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    await writeFile(join(path, "run.lock"), String(gone));
    const run = await RunFolder.open(path);
    expect(run.committed?.step).toBe(1);
    await run.close();
  });

  it("stores each prompt once, also after reopening", async () => {
    const path = join(folder, "run");
    const prompt = {
      digest: "b".repeat(64),
      ids: "",
      images: [],
      length: 0,
      templateSha256: "c".repeat(64),
      processorSha256: "d".repeat(64),
    };
    const first = await RunFolder.create(path, {});
    await first.appendPrompts([prompt, prompt]);
    await first.close();
    const again = await RunFolder.open(path);
    await again.appendPrompts([prompt]);
    await again.close();
    expect(await kinds(path)).toEqual(["prompt"]);
  });

  it("a full disk is a typed error that names the file", async () => {
    // Writing to /dev/full fails with ENOSPC on every Linux.
    const write = (): Promise<void> => appendFile("/dev/full", "x");
    await expect(writing("/run/records.jsonl", write)).rejects.toMatchObject({
      code: "data.disk_full",
      exitCode: 3,
      message: expect.stringContaining("/run/records.jsonl") as string,
    });
  });

  it("keeps images by hash and notices one that was changed", async () => {
    const path = join(folder, "run");
    const run = await RunFolder.create(path, {});
    const image = await canonicalFromPixels({ width: 2, height: 1, rgb: new Uint8Array([1, 2, 3, 4, 5, 6]) });
    await Promise.all([run.images.put(image), run.images.put(image)]);
    await run.close();
    const again = await RunFolder.open(path);
    expect(Buffer.from((await again.images.get(image.sha256)).png).equals(Buffer.from(image.png))).toBe(true);
    await again.close();
    await mkdir(join(path, "images"), { recursive: true });
    await writeFile(again.images.pathOf(image.sha256), "other");
    const third = await RunFolder.open(path);
    await expect(third.images.get(image.sha256)).rejects.toMatchObject({ code: "data.image_corrupt" });
    await expect(third.images.get("0".repeat(64))).rejects.toMatchObject({ code: "data.image_missing" });
    await third.close();
  });
});
