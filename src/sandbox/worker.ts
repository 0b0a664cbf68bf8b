/**
 * One worker process: a jail with a warm interpreter inside, serving one snippet at a time. It may have fallen to a snippet: it can
 * send anything, and costs its own snippet by it, never this program's life, memory or patience.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import type { Socket } from "node:net";
import { ByteQueue, CANCEL, encodeRequest, FrameError, readHeader, readResponse, readySchema } from "./frames.ts";
import { StoredPngs } from "./stored-png.ts";
import type { SnippetLimits, SnippetOutcome, SnippetRequest } from "./types.ts";

/** How to start a worker of some tier. */
export interface Launch {
  /** Program and arguments. */
  command: [string, ...string[]];
  environment: Record<string, string>;
  /** Spawned under this uid and gid; absent: our own. */
  uid?: number;
  /** Removes what the worker leaves on the host's disk. */
  cleanUp(): Promise<void>;
}

const START_MS = 60_000;
const CLOSE_MS = 2000;
const MAX_LOG_CHARACTERS = 4096;
/** Of stderr during one snippet; a sound worker writes a line when it ends. */
const MAX_LOG_BYTES = 2 ** 20;
/** After the process's own end, until pipes that a descendant still holds are given up. */
const DRAIN_MS = 500;

/** Of all workers: the rollouts of a group share an image, and any worker may get any of them. */
const storedPngs = new StoredPngs();

/** The worker process ended or broke the frame format. `log` is the end of its stderr. */
export class WorkerDied extends Error {
  readonly log: string;
  constructor(message: string, log: string) {
    super(message);
    this.log = log;
  }
}

export class Worker {
  readonly #process: ChildProcess;
  readonly #bytes = new ByteQueue();
  #log = "";
  #logBytes = 0;
  #killed = false;
  /** Whether the worker has something to answer. */
  #asked = true;
  /** Resolves when the process has ended and its folder is gone. */
  readonly exited: Promise<void>;

  private constructor(launch: Launch) {
    const [program, ...rest] = launch.command;
    this.#process = spawn(program, rest, {
      env: launch.environment,
      cwd: "/",
      // Its own session: Ctrl-C in the terminal is the command line's to handle. PDEATHSIG ends it with us.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      ...(launch.uid === undefined ? {} : { uid: launch.uid, gid: launch.uid }),
    });
    const { stdin, stdout, stderr } = this.#process;
    stdout?.on("data", (chunk: Buffer) => {
      if (this.#asked) this.#bytes.push(chunk);
      else this.kill(); // it would answer a request yet to come, or fill our memory
    });
    stderr?.on("data", (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString("utf8")).slice(-MAX_LOG_CHARACTERS);
      this.#logBytes += chunk.length;
      if (this.#logBytes > MAX_LOG_BYTES) this.kill();
    });
    stdin?.on("error", () => {}); // EPIPE: the exit below tells the story
    this.exited = new Promise<void>((resolve) => {
      let drain: NodeJS.Timeout | undefined;
      const ended = (why: string): void => {
        clearTimeout(drain);
        this.#bytes.end(new WorkerDied(`sandbox worker ${why}`, this.#log.trim()));
        resolve();
      };
      this.#process.once("error", (error) => ended(`cannot be started: ${error.message}`));
      this.#process.once("exit", () => {
        drain = setTimeout(() => [stdin, stdout, stderr].forEach((pipe) => pipe?.destroy()), DRAIN_MS);
      });
      this.#process.once("close", (code, signal) =>
        ended(signal === null ? `ended with code ${code}` : `was killed by ${signal}`),
      );
    }).then(() => cleanedUp(launch));
  }

  /**
   * Starts a worker and waits until it is warm. Rejects with `WorkerDied` when it does not get there, which an aborted signal sees to.
   */
  static async start(launch: Launch, signal?: AbortSignal): Promise<Worker> {
    let worker: Worker;
    try {
      worker = new Worker(launch);
    } catch (error) {
      await cleanedUp(launch);
      throw new WorkerDied(`sandbox worker cannot be started: ${(error as Error).message}`, "");
    }
    const stop = (): void => worker.kill();
    const timer = setTimeout(stop, START_MS);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted === true) stop();
    try {
      const ready = readySchema.safeParse(await readHeader(worker.#bytes));
      if (!ready.success) throw new WorkerDied("sandbox worker speaks another protocol", worker.#log.trim());
      worker.#expectNothing();
      worker.#hold(false);
      return worker;
    } catch (error) {
      worker.kill();
      await worker.exited;
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** The end of its stderr. */
  get log(): string {
    return this.#log.trim();
  }

  get dead(): boolean {
    return this.#killed || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /**
   * Runs one snippet. Rejects when the worker dies meanwhile; one that is still silent `graceMs` after its own deadlines is
   * killed and counts as a timeout. An aborted signal has the supervisor stop the snippet, and the outcome comes soon after; it
   * rejects with the signal's reason when nothing was sent yet.
   */
  async run(
    request: SnippetRequest,
    limits: SnippetLimits,
    graceMs: number,
    signal?: AbortSignal,
  ): Promise<SnippetOutcome> {
    const image = await storedPngs.get(request.image);
    signal?.throwIfAborted();
    const id = randomInt(2 ** 47); // an answer given before the question cannot know it
    const started = performance.now();
    let wedged = false;
    // Far more than the supervisor allows itself: once, and a few seconds for decoding.
    const timer = setTimeout(() => ((wedged = true), this.kill()), 2 * limits.timeoutMs + graceMs);
    const cancel = (): void => void this.#process.stdin?.write(CANCEL);
    signal?.addEventListener("abort", cancel, { once: true });
    this.#hold(true);
    this.#asked = true;
    this.#logBytes = 0;
    try {
      for (const part of encodeRequest(id, { ...request, image }, limits)) this.#process.stdin?.write(part);
      const outcome = await readResponse(this.#bytes, id, limits);
      this.#expectNothing();
      return outcome;
    } catch (error) {
      this.kill();
      if (wedged) return failedOutcome("timeout", performance.now() - started);
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
      this.#hold(false);
    }
  }

  /** Throws `FrameError` when there is more than was asked for. */
  #expectNothing(): void {
    this.#asked = false;
    if (this.#bytes.held > 0) throw new FrameError(`${this.#bytes.held} bytes that nobody asked for`);
  }

  kill(): void {
    const { pid } = this.#process;
    if (pid === undefined || this.dead) return;
    this.#killed = true;
    try {
      process.kill(-pid, "SIGKILL"); // the whole session; in the other tiers the pid namespace dies with its first process
    } catch {
      this.#process.kill("SIGKILL");
    }
  }

  /** Ends the worker: it notices the closed pipe, kills what runs, and leaves. Killed when it does not. */
  async close(): Promise<void> {
    this.#hold(true);
    this.#process.stdin?.end();
    const timer = setTimeout(() => this.kill(), CLOSE_MS);
    await this.exited;
    clearTimeout(timer);
  }

  /** An idle worker must not keep the host program alive; a busy one must. */
  #hold(busy: boolean): void {
    for (const handle of [this.#process, ...this.#process.stdio] as (ChildProcess | Socket | null)[]) {
      if (busy) handle?.ref();
      else handle?.unref();
    }
  }
}

/** Never rejects: what is left is swept when a pool is opened next (`folders.ts`), and no snippet's outcome hangs on it. */
async function cleanedUp(launch: Launch): Promise<void> {
  try {
    await launch.cleanUp();
  } catch {
    // Out of disk, memory or descriptors, most likely.
  }
}

/** The outcome when the sandbox itself, not the snippet, decided it. */
export function failedOutcome(status: "timeout" | "lost", durationMs: number): SnippetOutcome {
  const stderr = `[sandbox] ${status === "lost" ? "the sandbox process ended unexpectedly" : "the sandbox process did not answer"}\n`;
  return { status, stdout: "", stderr, truncated: false, exception: null, output: { kind: "none" }, durationMs };
}
