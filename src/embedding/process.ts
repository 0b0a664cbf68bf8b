/**
 * The embedding process and what is asked of it. It is started when the first text comes, and ends with `stop` or with this process.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { decodeFloat32 } from "../core/arrays.ts";
import { linkedSignal } from "../core/abort.ts";
import { EngineError, errorFromShape } from "../core/errors.ts";
import { environmentPython } from "../core/installation.ts";
import { readiness } from "../engine/supervisor.ts";
import { Transport } from "../engine/transport.ts";
import { errorShapeSchema, PROTOCOL_VERSION } from "../engine/wire.ts";
import { workerEnvironment } from "../engine/worker-environment.ts";
import { WorkerProcess } from "../engine/worker-process.ts";

export interface EmbeddingOptions {
  /** Folder, absolute, or a hub id. */
  model: string;
  device?: "cpu" | "cuda";
  /** CPU threads of torch. */
  threads?: number;
  /** Appended to. */
  logFile: string;
  signal?: AbortSignal;
}

export interface Embedding {
  /** Unit vectors [D], one per text in order; each text is sent once. Throws `engine.*`, `checkpoint.*`. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  stop(): Promise<void>;
}

/** Longer texts are cut before they are sent: the encoder reads a few hundred tokens. */
const MOST_CHARACTERS = 8000;
const MOST_TEXTS = 256;
const MOST_KEPT = 50_000;
const STOP_GRACE_MS = 5000;

const answerSchema = z.object({ vectors: z.string(), dimension: z.int().positive() });
const failureSchema = z.object({ error: errorShapeSchema });

interface Running {
  worker: WorkerProcess;
  url: URL;
  token: string;
}

/** Nothing runs until the first `embed`. */
export function embeddingProcess(options: EmbeddingOptions): Embedding {
  const transport = new Transport();
  const known = new Map<string, Promise<Float32Array>>();
  let starting: Promise<Running> | null = null;
  let queue: { text: string; resolve: (vector: Float32Array) => void; reject: (error: unknown) => void }[] = [];

  let stopped = false;
  /** A process that has died is started again, once for a call: its answers hang on nothing that it knew. */
  const asked = async (texts: readonly string[], again = true): Promise<Float32Array[]> => {
    starting ??= start(options);
    const running = await starting;
    try {
      return await ask(transport, running, texts, options.signal);
    } catch (error) {
      // A connection breaks a moment before the process's end is known.
      const unreachable = error instanceof EngineError && error.code === "engine.unreachable";
      if (stopped || !(unreachable || running.worker.life.aborted)) throw error;
      await running.worker.stop(0);
      starting = null;
      if (again) return asked(texts, false);
      // Not `engine.died`: that is the policy's worker, whose loss sends training back to its last checkpoint.
      throw new EngineError("engine.embedding_lost", `the embedding process died twice: ${messageOf(error)}`, {
        hint: `Read ${options.logFile}.`,
        cause: error,
      });
    }
  };

  const flush = async (): Promise<void> => {
    const waiting = queue;
    queue = [];
    try {
      for (let from = 0; from < waiting.length; from += MOST_TEXTS) {
        const some = waiting.slice(from, from + MOST_TEXTS);
        const texts = some.map(({ text }) => text);
        const vectors = await asked(texts);
        some.forEach(({ resolve }, index) => resolve(vectors[index] ?? new Float32Array()));
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  };

  const vectorOf = (text: string): Promise<Float32Array> => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size >= MOST_KEPT) known.clear();
    const vector = new Promise<Float32Array>((resolve, reject) => {
      // What one round of scoring asks goes together.
      if (queue.length === 0) setImmediate(() => void flush());
      queue.push({ text, resolve, reject });
    });
    known.set(text, vector);
    vector.catch(() => known.delete(text));
    return vector;
  };

  return {
    embed: (texts) => Promise.all(texts.map((text) => vectorOf(text.slice(0, MOST_CHARACTERS)))),
    async stop() {
      stopped = true;
      transport.close();
      const running = await starting?.catch(() => null);
      await running?.worker.stop(STOP_GRACE_MS);
    },
  };
}

async function start({ model, device = "cpu", threads = 1, logFile, signal }: EmbeddingOptions): Promise<Running> {
  signal?.throwIfAborted();
  const token = randomBytes(24).toString("base64url");
  const worker = new WorkerProcess({
    python: environmentPython("engine"),
    command: "embed",
    arguments: ["--supervised", "--model", model, "--device", device, "--threads", String(threads)],
    environment: workerEnvironment(process.env, token),
    logFile,
  });
  try {
    const { port } = await readiness(worker, { logFile, ...(signal === undefined ? {} : { signal }) });
    return { worker, url: new URL(`http://127.0.0.1:${port}/v1/embed`), token };
  } catch (error) {
    await worker.stop(0);
    throw error;
  }
}

async function ask(
  transport: Transport,
  { worker, url, token }: Running,
  texts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  using both = linkedSignal([worker.life, signal].filter((one) => one !== undefined));
  const { status, body } = await transport.send({
    method: "POST",
    url,
    headers: {
      authorization: `Bearer ${token}`,
      "x-varft-protocol": PROTOCOL_VERSION,
      "content-type": "application/json",
    },
    body: JSON.stringify({ texts }),
    signal: both.signal,
  });
  const json = jsonOf(body);
  const failure = failureSchema.safeParse(json);
  if (failure.success) throw errorFromShape(failure.data.error);
  const answer = answerSchema.safeParse(json);
  const values = answer.success ? decodeFloat32(answer.data.vectors) : new Float32Array();
  if (status !== 200 || !answer.success || values.length !== texts.length * answer.data.dimension) {
    throw new EngineError(
      "engine.bad_response",
      `embed: expected ${texts.length} vectors, got status ${status} and ${values.length} values`,
      {
        hint: "Read the embedding process's log.",
      },
    );
  }
  const { dimension } = answer.data;
  return texts.map((_, index) => values.slice(index * dimension, (index + 1) * dimension));
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
