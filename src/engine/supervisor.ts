/**
 * `startEngine`: the worker as a child process, from the moment it is asked for until it serves, and its handle from then on.
 *
 * The token is random, in the child's environment only. stdout brings one JSON line, ready or why not; stderr goes to the log file.
 * The child's stdin is open as long as this process lives, whose end, however it comes, ends the worker.
 */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { z } from "zod";
import { EngineError, errorFromShape } from "../core/errors.ts";
import { environmentPython } from "../core/installation.ts";
import { EngineClient, type EngineClientOptions } from "./client.ts";
import { type EngineHandle, HEALTH_WATCH, type HealthWatchOptions, watchHealth } from "./handle.ts";
import { errorShapeSchema, type Lora, PROTOCOL_VERSION } from "./wire.ts";
import { workerEnvironment } from "./worker-environment.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface EngineOptions {
  /** Hugging Face folder, or one that `export` wrote. */
  modelPath: string;
  device?: "cpu" | "cuda";
  dtype?: "float32" | "bfloat16";
  /** CPU threads of torch. */
  threads?: number;
  /** Seed of whatever in the worker draws by itself, such as a new adapter. Sampling draws by key. */
  seed?: number;
  /** Null (the default): all weights are trained. */
  lora?: Lora | null;
  /** The weights of the vision tower are not trained. */
  freezeVision?: boolean;
  /** The same gradients with less memory and more computation. */
  gradientCheckpointing?: boolean;
  /** Log of the worker, appended to; in the run folder. */
  logFile: string;
  /** Loopback port; 0 (the default) takes any free one. */
  port?: number;
  imageBytes?: EngineClientOptions["imageBytes"];
  /** Loading a large checkpoint takes minutes. */
  startTimeoutMs?: number;
  /** How long `stop()` waits for the running operation before SIGKILL. */
  stopGraceMs?: number;
  healthWatch?: HealthWatchOptions;
  /** Aborting ends a start that is still under way. */
  signal?: AbortSignal;
}

const firstLineSchema = z.union([
  z.object({ ready: z.object({ port: z.int(), instanceId: z.string(), protocolVersion: z.string() }) }),
  z.object({ error: errorShapeSchema }),
]);
type Ready = { port: number; instanceId: string; protocolVersion: string };

/**
 * Starts a worker and waits until it serves. Throws what the worker says when it cannot (`checkpoint.*`, `engine.port_taken`,
 * `engine.out_of_memory` ...), `engine.not_installed`, `engine.start_timeout`, `engine.version_mismatch`, `engine.died`.
 *
 * `const engine = await startEngine({ modelPath, logFile: join(run, "engine.log") }); ... await engine.stop();`
 */
export async function startEngine(options: EngineOptions): Promise<EngineHandle> {
  const { logFile, signal, stopGraceMs = 60_000 } = options;
  signal?.throwIfAborted();
  const token = randomBytes(24).toString("base64url");
  const worker = new WorkerProcess({
    python: environmentPython("engine"),
    command: "serve",
    arguments: argumentsOf(options),
    environment: workerEnvironment(process.env, token),
    logFile,
  });
  try {
    const { port, instanceId } = await readiness(worker, options);
    const url = `http://127.0.0.1:${port}`;
    const client = new EngineClient({ url, token, instanceId, imageBytes: options.imageBytes, life: worker.life });
    const info = await client.info({ signal });
    watchHealth(client, worker.life, options.healthWatch ?? HEALTH_WATCH, (cause) =>
      worker.kill(unresponsive(logFile, cause)),
    );
    const stop = (): Promise<void> => worker.stop(stopGraceMs);
    return {
      client,
      info,
      pid: worker.pid,
      exited: worker.exited,
      stop,
      async restart() {
        await stop();
        return startEngine(options);
      },
    };
  } catch (error) {
    await worker.stop(0);
    throw error;
  }
}

function argumentsOf({
  modelPath,
  device = "cpu",
  dtype = "float32",
  threads = 1,
  seed = 0,
  port = 0,
  lora = null,
  freezeVision = false,
  gradientCheckpointing = false,
}: EngineOptions): string[] {
  const values = { model: resolve(modelPath), device, dtype, threads, seed, port };
  return [
    "--supervised",
    ...Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...(lora === null ? [] : loraArguments(lora)),
    ...(freezeVision ? ["--freeze-vision"] : []),
    ...(gradientCheckpointing ? ["--gradient-checkpointing"] : []),
  ];
}

function loraArguments({ rank, alpha, targets, vision }: Lora): string[] {
  return [
    "--lora-rank",
    String(rank),
    "--lora-alpha",
    String(alpha),
    ...(targets === "all-linear" ? [] : ["--lora-targets", targets.join(",")]),
    ...(vision ? ["--lora-vision"] : []),
  ];
}

/** Waits for the ready line of a worker or embedding process. Throws as `startEngine` does. */
export async function readiness(
  worker: WorkerProcess,
  { logFile, startTimeoutMs = 600_000, signal }: Pick<EngineOptions, "logFile" | "startTimeoutMs" | "signal">,
): Promise<Ready> {
  const waiting = new AbortController();
  const interruption = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(startTimeout(logFile, startTimeoutMs)), startTimeoutMs);
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true, signal: waiting.signal });
    waiting.signal.addEventListener("abort", () => clearTimeout(timer));
  });
  try {
    const text = await Promise.race([worker.firstLine, interruption]);
    if (text === null) {
      const { error } = await worker.exited;
      throw error ?? new EngineError("engine.stopped", "the engine worker was stopped before it was ready");
    }
    const line = firstLineSchema.safeParse(json(text));
    if (!line.success)
      throw new EngineError("engine.bad_response", `the worker's first line is not ours: ${text.slice(0, 200)}`);
    if ("error" in line.data) throw errorFromShape(line.data.error);
    const { ready } = line.data;
    if (ready.protocolVersion !== PROTOCOL_VERSION) throw versionMismatch(ready.protocolVersion);
    return ready;
  } finally {
    waiting.abort();
  }
}

function startTimeout(logFile: string, ms: number): EngineError {
  return new EngineError("engine.start_timeout", `the engine worker was not ready after ${ms / 1000} s`, {
    hint: `Read ${logFile}; a large checkpoint on a slow disk needs a longer start timeout.`,
    details: { logFile },
    retryable: true,
  });
}

function unresponsive(logFile: string, cause: unknown): EngineError {
  return new EngineError("engine.unresponsive", "the engine worker ran but no longer answered; it was ended", {
    hint: `Read ${logFile}; then start again from the last committed checkpoint.`,
    details: { logFile },
    retryable: true,
    cause,
  });
}

function versionMismatch(worker: string): EngineError {
  return new EngineError(
    "engine.version_mismatch",
    `the client speaks protocol '${PROTOCOL_VERSION}', the worker '${worker}'`,
    {
      hint: "Install the same version of visual-arft on both sides; VARFT_ENGINE_PYTHON or PYTHONPATH may name an old one.",
      details: { client: PROTOCOL_VERSION, worker },
    },
  );
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
