/**
 * One child process that runs the worker: spawned, listened to for its first line, told to stop, and the account of its end.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { EngineError, type VarftError } from "../core/errors.ts";
import { deathError } from "./death.ts";
import type { EngineExit } from "./handle.ts";

export interface WorkerCommand {
  python: string;
  /** What of `python -m varft_engine` runs. */
  command: "serve" | "embed";
  /** Arguments after it. */
  arguments: readonly string[];
  environment: Record<string, string>;
  logFile: string;
}

export class WorkerProcess {
  readonly pid: number | null;
  /** Aborted when the process has ended; the reason is the error that calls then reject with. */
  readonly life: AbortSignal;
  readonly exited: Promise<EngineExit>;
  /** The first line on stdout, or null when the process ended without one. */
  readonly firstLine: Promise<string | null>;
  readonly #child: ChildProcess;
  /** Why we ended it; null while we did not. */
  #verdict: VarftError | "stopped" | null = null;

  constructor({ python, command, arguments: args, environment, logFile }: WorkerCommand) {
    mkdirSync(dirname(logFile), { recursive: true });
    // The child writes into the file itself, so that the log does not end with us.
    const log = openSync(logFile, "a");
    const logOffset = fstatSync(log).size;
    const child = spawn(python, ["-m", "varft_engine", command, ...args], {
      stdio: ["pipe", "pipe", log],
      env: environment,
    });
    closeSync(log);
    // stdin is open as long as we live, and nothing else; a worker that has ended is told by its exit.
    child.stdin?.on("error", () => {});
    this.#child = child;
    this.pid = child.pid ?? null;

    const life = new AbortController();
    this.life = life.signal;
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null, spawnError: VarftError | null): void => {
        const unexpected = this.#verdict ?? spawnError ?? deathError({ code, signal, logFile, logOffset });
        const error = unexpected === "stopped" ? null : unexpected;
        life.abort(error ?? new EngineError("engine.stopped", "the engine worker was stopped"));
        resolve({ code, signal, error });
      };
      child.on("close", (code, signal) => end(code, signal, null));
      child.on("error", (cause) => {
        if (child.pid !== undefined) return;
        end(
          null,
          null,
          new EngineError("engine.not_installed", `cannot start ${python}: ${cause.message}`, {
            hint: "Run `npm run setup`.",
            cause,
          }),
        );
      });
    });
    this.firstLine = firstLineOf(child);
  }

  /** SIGTERM, which lets the running operation finish; SIGKILL after the grace. Resolves when the process has ended. */
  async stop(graceMs: number): Promise<void> {
    if (!this.life.aborted) {
      this.#verdict ??= "stopped";
      this.#child.kill("SIGTERM");
    }
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** SIGKILL, with the reason that `exited` and pending calls get. */
  kill(reason: VarftError): void {
    this.#verdict ??= reason;
    this.#child.kill("SIGKILL");
  }
}

function firstLineOf(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      if (text.includes("\n")) return;
      text += chunk;
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    child.on("close", () => resolve(null));
    child.on("error", () => resolve(null));
  });
}
