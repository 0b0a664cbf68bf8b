/**
 * The `varft` command as a user starts it: a child process of its own.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "../../src/core/installation.ts";

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  finished: Promise<Finished>;
  /** Resolves when stdout holds the text; rejects when the process ends before. */
  says(text: string): Promise<void>;
}

export function startVarft(args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Running {
  const child = spawn(process.execPath, [join(packageFolder, "bin/varft.mjs"), ...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
    for (const check of waiting) check();
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const says = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!stdout.includes(text)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      void finished.then(({ code }) =>
        reject(new Error(`ended with ${code} before saying "${text}":\n${stdout}\n${stderr}`)),
      );
    });
  return { child, finished, says };
}

export function varft(args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Promise<Finished> {
  return startVarft(args, options).finished;
}

/** Descendants of a process whose command line holds `text`, from /proc. */
export function descendants(pid: number, text: string): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const isUnder = (one: number): boolean => {
    for (let at = parents.get(one); at !== undefined && at > 0; at = parents.get(at)) if (at === pid) return true;
    return false;
  };
  return [...parents.keys()].filter((one) => {
    try {
      return isUnder(one) && readFileSync(`/proc/${one}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}
