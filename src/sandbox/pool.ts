/** The pool: warm workers, requests in order of arrival, crashed workers replaced. */
import { setMaxListeners } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { SandboxError } from "../core/errors.ts";
import { resolveLimits } from "./limits.ts";
import { memoryMb } from "./memory.ts";
import type { Sandbox, SandboxTier, SnippetLimits, SnippetOutcome, SnippetRequest } from "./types.ts";
import { failedOutcome, type Worker, WorkerDied } from "./worker.ts";

export interface PoolOptions {
  tier: SandboxTier;
  workers: number;
  limits: SnippetLimits;
  /** Starts one more worker; an aborted signal ends the attempt. */
  start: (signal: AbortSignal) => Promise<Worker>;
  /** Warm already, from the self-test. */
  first: Worker;
  /** How long after its own deadlines a silent worker is killed. */
  graceMs?: number;
}

interface Job {
  request: SnippetRequest;
  limits: SnippetLimits;
  signal: AbortSignal | undefined;
  resolve: (outcome: SnippetOutcome) => void;
  reject: (reason: unknown) => void;
}

/** More than decoding may take beyond its deadline (`sandbox/varft_sandbox/output_file.py`). */
const GRACE_MS = 8000;
/** Workers lost in a row, without one snippet served between, before the pool gives up. */
const MAX_STRIKES = 5;
/** Before another start after one that failed, doubling with each in a row: what was short, memory or descriptors, may come back. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2000;

export class SandboxPool implements Sandbox {
  readonly tier: SandboxTier;
  readonly #options: PoolOptions;
  readonly #queue: Job[] = [];
  readonly #idle: Worker[] = [];
  readonly #alive = new Set<Worker>();
  readonly #starting = new Set<Promise<void>>();
  #strikes = 0;
  #failedStarts = 0;
  readonly #closing = new AbortController();
  /** Set once the pool is closed or given up; every later `run` rejects with it. */
  #ended: SandboxError | null = null;

  constructor(options: PoolOptions) {
    this.tier = options.tier;
    this.#options = options;
    setMaxListeners(0, this.#closing.signal); // one for each worker that is being started
    this.#adopt(options.first);
    for (let count = 1; count < options.workers; count++) this.#startWorker();
  }

  run(request: SnippetRequest, options: { signal?: AbortSignal } = {}): Promise<SnippetOutcome> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (this.#ended !== null) throw this.#ended;
      signal?.throwIfAborted();
      const job: Job = {
        request,
        limits: resolveLimits(this.#options.limits, request.limits),
        signal,
        resolve,
        reject,
      };
      const abandon = (): void => {
        const place = this.#queue.indexOf(job);
        if (place >= 0) this.#queue.splice(place, 1);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abandon, { once: true });
      const settle = <T>(then: (value: T) => void): ((value: T) => void) => {
        return (value) => {
          signal?.removeEventListener("abort", abandon);
          then(value);
        };
      };
      job.resolve = settle(resolve);
      job.reject = settle(reject);
      this.#queue.push(job);
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#end(
      new SandboxError("sandbox.closed", "the sandbox is closed", { hint: "Open a new one with openSandbox()." }),
    );
    await Promise.all(this.#starting);
    await Promise.all([...this.#alive].map((worker) => worker.close()));
  }

  /** Resolves when every worker that is being started is warm, or was given up. */
  async warm(): Promise<void> {
    while (this.#starting.size > 0) await Promise.all(this.#starting);
  }

  /** Of all workers together, all their processes; null where the system does not tell. */
  get memoryMb(): number | null {
    return memoryMb(this.pids);
  }

  /** Process ids of the workers. */
  get pids(): number[] {
    return [...this.#alive].flatMap((worker) => worker.pid ?? []);
  }

  #dispatch(): void {
    while (this.#queue.length > 0 && this.#idle.length > 0) {
      const worker = this.#idle.shift()!;
      if (!worker.dead) void this.#serve(worker, this.#queue.shift()!);
    }
  }

  async #serve(worker: Worker, job: Job): Promise<void> {
    const started = performance.now();
    try {
      job.resolve(await worker.run(job.request, job.limits, this.#options.graceMs ?? GRACE_MS, job.signal));
      this.#strikes = 0;
    } catch {
      job.resolve(failedOutcome("lost", performance.now() - started));
    } finally {
      if (this.#alive.has(worker) && !worker.dead) {
        this.#idle.push(worker);
        this.#dispatch();
      }
    }
  }

  #adopt(worker: Worker): void {
    this.#alive.add(worker);
    this.#idle.push(worker);
    void worker.exited.finally(() => {
      this.#alive.delete(worker);
      const place = this.#idle.indexOf(worker);
      if (place >= 0) this.#idle.splice(place, 1);
      if (this.#ended === null) this.#strike(new WorkerDied("sandbox workers keep ending", worker.log));
    });
    this.#dispatch();
  }

  #startWorker(): void {
    const started = this.#start()
      .catch((error: unknown) => {
        this.#failedStarts += 1;
        this.#strike(error);
      })
      .finally(() => this.#starting.delete(started));
    this.#starting.add(started);
  }

  async #start(): Promise<void> {
    const { signal } = this.#closing;
    if (this.#failedStarts > 0) {
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** (this.#failedStarts - 1), MAX_PAUSE_MS), undefined, { signal });
    }
    const worker = await this.#options.start(signal);
    this.#failedStarts = 0;
    if (this.#ended === null) this.#adopt(worker);
    else await worker.close();
  }

  /** One worker lost: start another, unless this happens over and over. */
  #strike(error: unknown): void {
    if (this.#ended !== null) return;
    this.#strikes += 1;
    if (this.#strikes < MAX_STRIKES + this.#options.workers) {
      this.#startWorker();
      return;
    }
    const log = error instanceof WorkerDied ? error.log : "";
    this.#end(
      new SandboxError("sandbox.broken", `${this.#strikes} sandbox workers ended in a row: ${String(error)}`, {
        hint: "Look at the log in the details; free memory and disk, then start again.",
        details: { tier: this.tier, log },
        cause: error,
      }),
    );
    for (const worker of this.#alive) worker.kill();
  }

  #end(reason: SandboxError): void {
    this.#ended ??= reason;
    this.#closing.abort(this.#ended);
    for (const job of this.#queue.splice(0)) job.reject(this.#ended);
  }
}
