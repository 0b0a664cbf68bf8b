/** The pool's life at every tier: deaths, wedged jails, cancellation, closing, and a host that is killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { environmentPython } from "../../src/core/installation.ts";
import { defaultLimits } from "../../src/sandbox/limits.ts";
import { SandboxPool } from "../../src/sandbox/pool.ts";
import { openTier } from "../../src/sandbox/probe.ts";
import { WorkerDied } from "../../src/sandbox/worker.ts";
import type { SandboxTier, SnippetOutcome } from "../../src/sandbox/types.ts";
import { workerFolders } from "./observe.ts";
import { descendants, inputPng, survivors, systemCallFilters, tiers } from "./support.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const snippet = (source: string): { source: string; image: Uint8Array } => ({ source, image: inputPng });
/** A worker: (relay), (launcher or bubblewrap outside), supervisor, two zygotes (per snippet: one), a process that each has forked ahead. */
const PROCESSES: Record<SandboxTier, number> = {
  bubblewrap: 6,
  namespaces: 6,
  "bubblewrap-per-snippet": 5,
  landlock: 5,
  seatbelt: 5,
  unsandboxed: 5,
};
const SLEEP = "import time; time.sleep(1000)";

for (const { tier, available } of tiers) {
  describe.skipIf(!available)(`tier ${tier}`, () => {
    let pool: SandboxPool | undefined;
    afterEach(async () => {
      await pool?.close();
    });

    async function open(workers: number, extra: { graceMs?: number } = {}): Promise<SandboxPool> {
      const opened = await openTier(environmentPython("sandbox"), tier);
      pool = new SandboxPool({ ...opened, workers, limits: { ...defaultLimits, timeoutMs: 5000 }, ...extra });
      return pool;
    }

    const processes = (sandbox: SandboxPool): number[] => sandbox.pids.flatMap((pid) => [pid, ...descendants(pid)]);

    /** Starts an endless snippet on the only worker; its outcome to come, and every process once one of them is confined. */
    async function carry(
      sandbox: SandboxPool,
      limits = {},
    ): Promise<{ carried: Promise<SnippetOutcome>; all: number[] }> {
      const carried = sandbox.run({ ...snippet(SLEEP), limits });
      let over = false;
      void carried.finally(() => (over = true));
      const begun = (all: number[]): boolean => {
        const filters = all.map(systemCallFilters);
        return all.length === PROCESSES[tier] && Math.max(...filters) > Math.min(...filters);
      };
      while (!begun(processes(sandbox))) {
        if (over) throw new Error("the snippet ended before it was seen to run");
        await pause(5);
      }
      return { carried, all: processes(sandbox) };
    }

    test("kill -9 of the worker costs the snippet it carried, and nothing else", async () => {
      const sandbox = await open(1);
      const { carried, all } = await carry(sandbox);
      const queued = sandbox.run(snippet("print('still served')"));
      for (const pid of sandbox.pids) process.kill(pid, "SIGKILL");
      expect((await carried).status).toBe("lost");
      expect(await queued).toMatchObject({ status: "ok", stdout: "still served\n" });
      expect(await survivors(all)).toEqual([]);
    });

    test("kill -9 of any process below it is one lost or killed snippet", async () => {
      const sandbox = await open(1);
      for (let depth = 1; depth < PROCESSES[tier]; depth++) {
        const { carried, all } = await carry(sandbox);
        process.kill(all[depth]!, "SIGKILL");
        expect((await carried).status).toMatch(/^(lost|killed)$/);
        expect(await sandbox.run(snippet("print(1)"))).toMatchObject({ status: "ok", stdout: "1\n" });
      }
    });

    test("a worker that dies idle is replaced", async () => {
      const sandbox = await open(1);
      const [pid] = sandbox.pids;
      process.kill(pid!, "SIGKILL");
      await survivors([pid!]);
      expect((await sandbox.run(snippet("print(1)"))).status).toMatch(/^(ok|lost)$/);
      expect(await sandbox.run(snippet("print(1)"))).toMatchObject({ status: "ok", stdout: "1\n" });
    });

    test("a wedged jail is killed at the host's own deadline and replaced", async () => {
      const sandbox = await open(1, { graceMs: 300 });
      const { carried, all } = await carry(sandbox, { timeoutMs: 3000 });
      for (const pid of all) process.kill(pid, "SIGSTOP");
      expect((await carried).status).toBe("timeout");
      expect(await sandbox.run(snippet("print(1)"))).toMatchObject({ status: "ok", stdout: "1\n" });
      expect(await survivors(all)).toEqual([]);
    });

    test("aborting rejects with the signal's reason, kills that snippet and frees the same worker", async () => {
      const sandbox = await open(1);
      const [worker] = sandbox.pids;
      const controller = new AbortController();
      const carried = sandbox.run(snippet(SLEEP), { signal: controller.signal });
      const queued = sandbox.run(snippet(SLEEP), { signal: controller.signal });
      await pause(200);
      const reason = new Error("enough");
      controller.abort(reason);
      await expect(carried).rejects.toBe(reason);
      await expect(queued).rejects.toBe(reason);
      await expect(sandbox.run(snippet("1"), { signal: controller.signal })).rejects.toBe(reason);
      expect(await sandbox.run(snippet("print(1)"))).toMatchObject({ status: "ok", stdout: "1\n" });
      expect(sandbox.pids).toEqual([worker]);
    });

    test.each([1, 2])("more snippets than %d workers are all served, in order of arrival", async (workers) => {
      const sandbox = await open(workers);
      const finished: number[] = [];
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const outcome = await sandbox.run(snippet(`print(${index})`));
          finished.push(index);
          return outcome.stdout;
        }),
      );
      expect(outcomes).toEqual(Array.from({ length: 8 }, (_, index) => `${index}\n`));
      // Two workers may finish in another order than they began.
      if (workers === 2) finished.sort((a, b) => a - b);
      expect(finished).toEqual(Array.from({ length: 8 }, (_, index) => index));
    });

    test("close ends what runs, rejects what waits and leaves no process", async () => {
      const sandbox = await open(1);
      const { carried, all } = await carry(sandbox);
      const refused = expect(sandbox.run(snippet("1"))).rejects.toMatchObject({ code: "sandbox.closed" });
      await sandbox.close();
      await refused;
      expect((await carried).status).toBe("lost");
      expect(await survivors(all, 1000)).toEqual([]);
      await expect(sandbox.run(snippet("1"))).rejects.toMatchObject({ code: "sandbox.closed" });
      await sandbox.close();
    });

    test("workers that keep ending make the pool give up with a typed error", async () => {
      const opened = await openTier(environmentPython("sandbox"), tier);
      let starts = 0;
      const start = (): Promise<never> => {
        starts += 1;
        return Promise.reject(new WorkerDied("no more", "the log"));
      };
      pool = new SandboxPool({ ...opened, start, workers: 1, limits: defaultLimits });
      opened.first.kill();
      await opened.first.exited;
      await expect(pool.run(snippet("1"))).rejects.toMatchObject({
        code: "sandbox.broken",
        details: { tier, log: "the log" },
      });
      expect(starts).toBeLessThan(10);
    });

    test("kill -9 of the host program leaves no process", async () => {
      const program = fileURLToPath(new URL("host.ts", import.meta.url));
      const host = spawn(process.execPath, ["--import", "tsx", program, tier], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(host.stdout, "data");
      await pause(300);
      const all = descendants(host.pid!);
      expect(all.length).toBeGreaterThan(2);
      host.kill("SIGKILL");
      await once(host, "exit");
      expect(await survivors(all)).toEqual([]);
      expect(workerFolders(host.pid)).toHaveLength(tier === "landlock" ? 2 : 0);
      await open(1);
      expect(workerFolders(host.pid)).toEqual([]);
    });
  });
}
