/**
 * For tests only: the seeded tiny checkpoint, and workers on it. Real ones: the process that a user's run would start.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { environmentPython, packageFolder } from "../../core/installation.ts";
import type { SampleRequest } from "../wire.ts";
import { workerEnvironment } from "../worker-environment.ts";
import { builtOnce } from "./built-once.ts";

/** Why tests of the worker cannot run here, or null. Said on stderr, so that a skipped file is not silent. */
export function engineAbsent(): string | null {
  try {
    environmentPython("engine");
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`SKIPPED: tests of the engine worker: ${reason}. Run \`npm run setup\`.\n`);
    return reason;
  }
}

export const TINY_TEXTS = [
  "<think>It is turned by 90 degrees.</think>",
  "<code>image.rotate(90)</code>",
  "<answer>42</answer>",
];

/** A new scratch folder. */
export function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), "varft-engine-"));
}

/** Puts the tiny checkpoint in `folder` and returns its path. */
export async function buildTiny(folder: string): Promise<string> {
  const path = join(folder, "tiny");
  await builtOnce("tiny", path, async (out) => {
    const texts = `${out}-texts.json`;
    writeFileSync(texts, JSON.stringify(TINY_TEXTS));
    const args = ["-m", "varft_engine", "tiny", "--out", out, "--seed", "0", "--texts", texts];
    await promisify(execFile)(environmentPython("engine"), args, { env: workerEnvironment(process.env, "") });
  });
  return path;
}

/** A request for one short text prompt. */
export function textRequest(keys: string[], maxTokens: number): SampleRequest {
  return {
    prompts: [{ messages: [{ role: "user", content: [{ type: "text", text: "What number is it?" }] }], keys }],
    sampling: { temperature: 1, topP: 1, topK: 0, repetitionPenalty: 1, maxTokens, stop: [] },
    pixels: { min: null, max: null },
  };
}

export interface RawWorker {
  child: ChildProcess;
  port: number;
}

/** A worker that nobody supervises, as a person would start one on another machine; on the port given. */
export async function rawWorker(modelPath: string, token: string, port: number): Promise<RawWorker> {
  const args = ["-m", "varft_engine", "serve", "--model", modelPath, "--port", String(port)];
  const child = spawn(environmentPython("engine"), args, {
    stdio: ["pipe", "pipe", "ignore"],
    env: workerEnvironment(process.env, token),
    cwd: packageFolder,
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { ready } = JSON.parse(line) as { ready?: { port: number } };
  if (ready === undefined) throw new Error(`the worker did not start: ${line}`);
  return { child, port: ready.port };
}

/** SIGKILL to a child, and its end. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** True while the process runs; an unreaped zombie has ended. */
export function alive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  if (process.platform === "linux") return existsSync(stat) && !/\) Z /.test(readFileSync(stat, "utf8"));
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Returns once `condition` holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}
