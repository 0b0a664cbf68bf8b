/** A worker that has fallen to a snippet: it sends what it likes, and costs its own snippet, never the host program. */
import { afterEach, describe, expect, test } from "vitest";
import { defaultLimits } from "../../src/sandbox/limits.ts";
import { SandboxPool } from "../../src/sandbox/pool.ts";
import { type Launch, Worker, WorkerDied } from "../../src/sandbox/worker.ts";
import { descendants, survivors } from "./processes.ts";

/** What a sound worker knows, for the hostile ones to break: `frame`, `said` (an outcome's header), `requests(then)`. */
const PRELUDE = `
const { writeSync } = require("node:fs");
const frame = (header, ...payloads) => {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(4); length.writeUInt32LE(text.length);
  const all = Buffer.concat([length, text, ...payloads]);
  for (let at = 0; at < all.length;) try { at += writeSync(1, all, at); } catch (error) { if (error.code !== "EAGAIN") process.exit(); }
};
const said = (id, more) => ({ id, status: "ok", exception: null, truncated: false, durationMs: 1, output: { kind: "none" },
  stdoutBytes: 0, stderrBytes: 0, rgbBytes: 0, ...more });
const requests = (then) => {
  let held = Buffer.alloc(0);
  process.stdin.on("data", (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      if (held[0] === 0x43) { held = held.subarray(1); process.stderr.write("cancel;"); continue; }
      if (held.length < 5 || held.length < 5 + held.readUInt32LE(1)) return;
      const from = 5 + held.readUInt32LE(1);
      const header = JSON.parse(held.subarray(5, from));
      const end = from + header.sourceBytes + header.imageBytes;
      if (held.length < end) return;
      held = held.subarray(end);
      process.stderr.write("request;");
      then(header);
    }
  });
};
const ready = () => frame({ ready: 1, baseMb: 1, landlockAbi: null });
`;
const SOUND = "ready(); requests(({ id }) => frame(said(id)));";

const launch = (program: string, cleanUp = (): Promise<void> => Promise.resolve()): Launch => ({
  command: [process.execPath, "-e", PRELUDE + program],
  environment: {},
  cleanUp,
});

const limits = { ...defaultLimits, timeoutMs: 1000 };
const snippet = { source: "1", image: Uint8Array.of(1, 2, 3) };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let pool: SandboxPool | undefined;
afterEach(() => pool?.close());

/** A pool of one worker that runs `program`, and later ones that are sound. */
async function poolOf(
  program: string,
  start = (): Promise<Worker> => Worker.start(launch(SOUND)),
): Promise<SandboxPool> {
  const first = await Worker.start(launch(program));
  pool = new SandboxPool({ tier: "landlock", workers: 1, limits, start, first, graceMs: 500 });
  return pool;
}

describe("what a fallen worker can send costs one snippet", () => {
  test.each([
    ["a header without end", "writeSync(1, Buffer.alloc(4, 0xff))"],
    ["no JSON", 'frame("{")'],
    ["deep nesting", 'frame("[".repeat(60000))'],
    ["invalid UTF-8", "frame(said(id, { stdoutBytes: 2 })); frame(Buffer.from([0xff, 0xfe]).toString('latin1'))"],
    ["keys of Object.prototype", `frame(JSON.stringify(said(id)).replace("{", '{"__proto__":{"status":"ok"},'))`],
    ["another request's id", "frame(said(id + 1))"],
    ["a negative size", "frame(said(id, { stdoutBytes: -1 }))"],
    ["a fraction of a byte", "frame(said(id, { stdoutBytes: 0.5 }))"],
    ["a number beyond numbers", `frame(JSON.stringify(said(id)).replace('"durationMs":1', '"durationMs":1e999'))`],
    ["more text than its limit", "frame(said(id, { stdoutBytes: 2 ** 31 }))"],
    [
      "pixels that do not fit the size",
      'frame(said(id, { output: { kind: "image", width: 2, height: 2 }, rgbBytes: 11 }))',
    ],
    ["half an answer and its end", "frame(said(id, { stdoutBytes: 9 })); process.exit()"],
    ["two answers", "frame(said(id)); frame(said(id + 1, { status: 'exception', exception: 'forged' }))"],
    ["endless stderr", "for (;;) try { writeSync(2, Buffer.alloc(65536)); } catch {}"],
  ])("%s", async (_, attack) => {
    const sandbox = await poolOf(`ready(); requests(({ id }) => { ${attack} });`);
    const [fallen] = sandbox.pids;
    expect((await sandbox.run(snippet)).status).toMatch(/^(ok|lost)$/);
    expect(await sandbox.run(snippet)).toMatchObject({ status: expect.stringMatching(/^(ok|lost)$/), exception: null });
    while (sandbox.pids.length === 0 || sandbox.pids.includes(fallen!)) await pause(10);
    expect(await sandbox.run(snippet)).toMatchObject({ status: "ok" });
  });

  test("bytes that nobody asked for: the worker goes, and they are not kept", async () => {
    const flood = "for (;;) try { writeSync(1, Buffer.alloc(1 << 20)); } catch {}";
    const sandbox = await poolOf(`ready(); setTimeout(() => { ${flood} }, 100);`);
    const [fallen] = sandbox.pids;
    while (sandbox.pids.length === 0 || sandbox.pids.includes(fallen!)) await pause(10);
    expect(await sandbox.run(snippet)).toMatchObject({ status: "ok" });
  });

  test("an answer kept ready for the next snippet does not reach it", async () => {
    const forged = "frame(said(id + 1, { status: 'exception', exception: 'forged' }))";
    const sandbox = await poolOf(
      `ready(); requests(({ id }) => { frame(said(id)); setTimeout(() => ${forged}, 50); });`,
    );
    await sandbox.run(snippet);
    await pause(300);
    expect(await sandbox.run(snippet)).toMatchObject({ status: "ok", exception: null });
  });

  test("a process that left its pipes to another one does not hold up the snippet, nor closing", async () => {
    const orphan = `require("node:child_process").spawn("sleep", ["20"], { detached: true, stdio: "inherit" }).unref()`;
    const sandbox = await poolOf(
      `ready(); const sleeper = () => ${orphan}; requests(() => { sleeper(); process.exit(); });`,
    );
    expect((await sandbox.run(snippet)).status).toBe("lost");
    expect(await sandbox.run(snippet)).toMatchObject({ status: "ok" });
    const closing = await Worker.start(
      launch(`ready(); ${orphan}; process.stdin.on("end", () => process.exit()).resume();`),
    );
    await closing.close();
  });
});

describe("starting", () => {
  test.each([
    ["no such program", "/nonexistent/program"],
    ["no program", "/etc/passwd"],
    ["an argument that no kernel takes", process.execPath, "x".repeat(4 << 20)],
  ])("%s: a typed end, and what it made is removed", async (_, ...command) => {
    let cleaned = 0;
    const cleanUp = (): Promise<void> => Promise.resolve(void cleaned++);
    const started = Worker.start({ command: command as [string, ...string[]], environment: {}, cleanUp });
    await expect(started).rejects.toThrow(WorkerDied);
    await expect(started).rejects.toThrow("cannot be started");
    expect(cleaned).toBe(1);
  });

  test("a folder that cannot be removed costs nothing", async () => {
    const start = (): Promise<Worker> => Worker.start(launch(SOUND, () => Promise.reject(new Error("disk full"))));
    pool = new SandboxPool({ tier: "landlock", workers: 1, limits, start, first: await start() });
    process.kill(pool.pids[0]!, "SIGKILL");
    while (pool.pids.length > 0) await pause(5);
    expect(await pool.run(snippet)).toMatchObject({ status: "ok" });
    await pool.close();
  });

  test("a shortage that passes is sat out", async () => {
    let until = Number.POSITIVE_INFINITY;
    const start = (): Promise<Worker> =>
      performance.now() < until ? Promise.reject(new Error("spawn EMFILE")) : Worker.start(launch(SOUND));
    const sandbox = await poolOf(SOUND, start);
    until = performance.now() + 500;
    process.kill(sandbox.pids[0]!, "SIGKILL");
    while (sandbox.pids.length > 0) await pause(5);
    expect(await sandbox.run(snippet)).toMatchObject({ status: "ok" });
  });

  test("many at once bring no warning", async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", note);
    const first = await Worker.start(launch(SOUND));
    const start = (signal?: AbortSignal): Promise<Worker> =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)));
    const many = new SandboxPool({ tier: "landlock", workers: 24, limits, start, first });
    await pause(10);
    await many.close();
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  test("closing does not wait for a worker that does not get warm, and leaves none", async () => {
    const first = await Worker.start(launch(SOUND));
    const start = (signal?: AbortSignal): Promise<Worker> =>
      Worker.start(launch("setTimeout(() => {}, 30_000)"), signal);
    pool = new SandboxPool({ tier: "landlock", workers: 2, limits, start, first });
    await pause(100);
    const all = descendants(process.pid);
    await pool.close();
    expect(await survivors(all)).toEqual([]);
  });
});

test("a snippet aborted before it was sent is never sent, and the worker serves on", async () => {
  // Says as its duration how many requests it has seen.
  const sandbox = await poolOf("let seen = 0; ready(); requests(({ id }) => frame(said(id, { durationMs: ++seen })));");
  const [worker] = sandbox.pids;
  const controller = new AbortController();
  const run = sandbox.run(snippet, { signal: controller.signal });
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(run).rejects.toBe(reason);
  expect(await sandbox.run({ ...snippet, source: "2" })).toMatchObject({ status: "ok", durationMs: 1 });
  expect(sandbox.pids).toEqual([worker]);
});
