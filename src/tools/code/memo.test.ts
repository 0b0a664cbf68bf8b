import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { environmentPython } from "../../core/installation.ts";
import { canonicalFromPixels, type CanonicalImage } from "../../core/images.ts";
import { openSandbox } from "../../sandbox/index.ts";
import type { Sandbox } from "../../sandbox/types.ts";
import { memoisedSandbox } from "./memo.ts";

function sandboxAbsent(): boolean {
  try {
    environmentPython("sandbox");
    return false;
  } catch (error) {
    process.stderr.write(`SKIPPED: memoised snippets: ${String(error)}\n`);
    return true;
  }
}

/** Prints the clock: two runs never print the same. */
const CLOCK = "import time\nprint(time.time_ns())";

describe.skipIf(sandboxAbsent())("memoisedSandbox", () => {
  let real: Sandbox;
  let image: CanonicalImage;
  beforeAll(async () => {
    real = await openSandbox({ workers: 1 });
    image = await canonicalFromPixels({ width: 2, height: 2, rgb: new Uint8Array(12) });
  });
  afterAll(() => real.close());

  const printed = async (sandbox: Sandbox, source: string, of = image): Promise<string> =>
    (await sandbox.run({ source, image: of.png })).stdout;

  it("runs the same code on the same image once, together or later", async () => {
    const sandbox = memoisedSandbox(real);
    const together = await Promise.all([printed(sandbox, CLOCK), printed(sandbox, CLOCK)]);
    expect(new Set([...together, await printed(sandbox, CLOCK)]).size).toBe(1);
  });

  it("forgets the oldest, also of outcomes that hold next to nothing", async () => {
    const sandbox = memoisedSandbox(real, 10_000);
    const first = await printed(sandbox, CLOCK);
    for (let count = 0; count < 4; count++) await printed(sandbox, `x = ${count}`);
    expect(await printed(sandbox, CLOCK)).toBe(first);
    for (let count = 4; count < 14; count++) await printed(sandbox, `x = ${count}`);
    expect(await printed(sandbox, CLOCK)).not.toBe(first);
  });

  it("runs other code, and the same code on another image", async () => {
    const sandbox = memoisedSandbox(real);
    const other = await canonicalFromPixels({ width: 2, height: 2, rgb: new Uint8Array(12).fill(9) });
    const all = [
      await printed(sandbox, CLOCK),
      await printed(sandbox, `${CLOCK}\n`),
      await printed(sandbox, CLOCK, other),
    ];
    expect(new Set(all).size).toBe(3);
  });

  it("does not remember a timeout", async () => {
    const sandbox = memoisedSandbox(real);
    const source = `${CLOCK}\nimport sys\nsys.stdout.flush()\nwhile True: pass`;
    const run = () => sandbox.run({ source, image: image.png, limits: { timeoutMs: 300 } });
    const [first, second] = [await run(), await run()];
    expect([first.status, second.status]).toEqual(["timeout", "timeout"]);
    expect(first.stdout).not.toBe(second.stdout);
  });

  it("whoever joins an aborted run gets a run of their own", async () => {
    const sandbox = memoisedSandbox(real);
    const abort = new AbortController();
    const source = `${CLOCK}\ntime.sleep(0.3)`;
    const first = sandbox.run({ source, image: image.png }, { signal: abort.signal });
    const second = sandbox.run({ source, image: image.png });
    abort.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect(await second).toMatchObject({ status: "ok" });
  });
});
