/**
 * The worker's primitives as methods. One client speaks to one life of the worker: a worker that restarted in between refuses its
 * mutations, and the client refuses that worker's answers (`engine.restarted`), instead of going on from weights nobody asked for.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { linkedSignal } from "../core/abort.ts";
import { EngineError, errorFromShape, type VarftError } from "../core/errors.ts";
import { Transport, type HttpRequest } from "./transport.ts";
import * as wire from "./wire.ts";

export interface EngineClientOptions {
  /** Origin, for example `http://127.0.0.1:40123`. */
  url: string;
  /** Secret; goes into one header and nowhere else. */
  token: string;
  /** The life that is meant, from `info` or the worker's ready line; absent only to ask `info` which one answers. */
  instanceId?: string;
  /** Canonical PNG bytes of an image the worker lacks. Without it `images.missing` reaches the caller. */
  imageBytes?: ((sha256: string) => Promise<Uint8Array>) | undefined;
  /** Aborted with a typed error when the life ends: every call then rejects with it at once. */
  life?: AbortSignal | undefined;
}

export interface CallOptions {
  /** Aborting closes the connection: the worker stops sampling. A mutation that was sent runs on; only the waiting ends. */
  signal?: AbortSignal | undefined;
}

export interface MutationOptions extends CallOptions {
  /** Names the mutation for good: sent twice, it runs once. A random one by default. */
  operationId?: string | undefined;
}

/** What a mutation is asked, without what the client adds. */
export type Body<Request> = Omit<Request, "operationId" | "instanceId">;

/** Pauses before the repetitions of a call whose connection failed. Every call is safe to repeat: mutations by their operation id. */
const RETRY_DELAYS_MS = [100, 300, 1000, 3000];
/** Seconds the worker may hold one poll. */
const POLL_SECONDS = 30;
const UPLOADS_AT_ONCE = 8;

interface Call {
  method: HttpRequest["method"];
  path: string;
  body?: string | Uint8Array;
  signal: AbortSignal | undefined;
  retries?: readonly number[];
}

export class EngineClient {
  readonly url: string;
  readonly instanceId: string;
  readonly #token: string;
  readonly #imageBytes: EngineClientOptions["imageBytes"];
  readonly #life: AbortSignal | undefined;
  readonly #transport = new Transport();

  constructor({ url, token, instanceId, imageBytes, life }: EngineClientOptions) {
    this.url = url;
    this.instanceId = instanceId ?? "";
    this.#token = token;
    this.#imageBytes = imageBytes;
    this.#life = life;
    life?.addEventListener("abort", () => this.#transport.close(), { once: true });
  }

  /** Answered also while the worker computes. Never repeated: one question, one answer or `engine.unreachable`. */
  health({ signal }: CallOptions = {}): Promise<z.infer<typeof wire.healthSchema>> {
    return this.#call(wire.healthSchema, { method: "GET", path: "/v1/health", signal, retries: [] });
  }

  /** Model, versions, device and the present `policyVersion`. Throws `engine.version_mismatch`, `engine.unauthorized`. */
  info({ signal }: CallOptions = {}): Promise<wire.EngineInfo> {
    return this.#call(wire.infoSchema, { method: "GET", path: "/v1/info", signal });
  }

  /** Uploads one image. Throws when the bytes do not have this hash or are no image. */
  async putImage(sha256: string, bytes: Uint8Array, { signal }: CallOptions = {}): Promise<void> {
    await this.#call(z.null(), { method: "PUT", path: `/v1/images/${sha256}`, body: bytes, signal });
  }

  /** Uploads images, some at once: ahead of a call that names them, it computes without waiting for them. */
  async putImages(
    sha256s: readonly string[],
    imageBytes: (sha256: string) => Promise<Uint8Array>,
    options: CallOptions = {},
  ): Promise<void> {
    for (let start = 0; start < sha256s.length; start += UPLOADS_AT_ONCE) {
      const some = sha256s.slice(start, start + UPLOADS_AT_ONCE);
      await Promise.all(some.map(async (sha256) => this.putImage(sha256, await imageBytes(sha256), options)));
    }
  }

  /** Samples one completion per key. Equal keys and weights give equal tokens. */
  sample(request: wire.SampleRequest, options: CallOptions = {}): Promise<wire.SampleResponse> {
    return this.#plain("sample", wire.sampleResponseSchema, request, options);
  }

  /** Log-probabilities [T] nats of given completions, under the current or the reference weights. */
  logprobs(
    request: wire.LogprobsRequest,
    options: CallOptions = {},
  ): Promise<z.infer<typeof wire.logprobsResponseSchema>> {
    return this.#plain("logprobs", wire.logprobsResponseSchema, request, options);
  }

  /** Adds the gradient of the objective over these rows. Throws `engine.prompt_mismatch` when a prompt renders differently now. */
  forwardBackward(
    body: Body<wire.ForwardBackwardRequest>,
    { operationId = randomUUID(), signal }: MutationOptions = {},
  ): Promise<wire.ForwardBackwardResult> {
    const attempt = (id: string): Promise<wire.ForwardBackwardResult> =>
      this.#mutate("forward_backward", wire.forwardBackwardResultSchema, body, { operationId: id, signal });
    // The refused operation has run its course and added nothing; the second one needs its own id.
    return this.#withImages(
      signal,
      () => attempt(operationId),
      () => attempt(`${operationId}/with-images`),
    );
  }

  /** One AdamW step from the accumulated gradients, which it clears. Throws `engine.nonfinite_gradient`. */
  optimStep(
    body: Body<wire.OptimStepRequest>,
    options: MutationOptions = {},
  ): Promise<z.infer<typeof wire.optimStepResultSchema>> {
    return this.#mutate("optim_step", wire.optimStepResultSchema, body, options);
  }

  /** Drops the accumulated gradients. */
  async zeroGrad(options: MutationOptions = {}): Promise<void> {
    await this.#mutate("zero_grad", z.unknown(), {}, options);
  }

  /** Writes a checkpoint folder (on the worker's machine, absolute path). Refuses an existing one. */
  save(body: Body<wire.PathRequest>, options: MutationOptions = {}): Promise<z.infer<typeof wire.saveResultSchema>> {
    return this.#mutate("save", wire.saveResultSchema, body, options);
  }

  /** Loads a checkpoint folder. Throws `checkpoint.*`, naming both values of a pin that differs. */
  load(body: Body<wire.PathRequest>, options: MutationOptions = {}): Promise<z.infer<typeof wire.loadResultSchema>> {
    return this.#mutate("load", wire.loadResultSchema, body, options);
  }

  /** Writes a Hugging Face folder that plain transformers loads, or the adapter alone for plain peft. */
  export(
    body: Body<wire.ExportRequest>,
    options: MutationOptions = {},
  ): Promise<z.infer<typeof wire.exportResultSchema>> {
    return this.#mutate("export", wire.exportResultSchema, body, options);
  }

  #plain<T>(name: string, schema: z.ZodType<T>, request: unknown, { signal }: CallOptions): Promise<T> {
    const body = JSON.stringify(request);
    const attempt = (): Promise<T> => this.#call(schema, { method: "POST", path: `/v1/${name}`, body, signal });
    return this.#withImages(signal, attempt, attempt);
  }

  async #mutate<T>(
    name: string,
    schema: z.ZodType<T>,
    body: object,
    { operationId = randomUUID(), signal }: MutationOptions,
  ): Promise<T> {
    const text = JSON.stringify({ ...body, operationId, instanceId: this.instanceId });
    let operation = await this.#call(wire.operationSchema, { method: "POST", path: `/v1/${name}`, body: text, signal });
    const path = `/v1/ops/${encodeURIComponent(operationId)}?wait=${POLL_SECONDS}`;
    while (operation.status === "queued" || operation.status === "running") {
      operation = await this.#call(wire.operationSchema, { method: "GET", path, signal });
    }
    if (operation.error !== null) throw errorFromShape(operation.error);
    return parsed(schema, operation.result, name);
  }

  async #withImages<T>(signal: AbortSignal | undefined, first: () => Promise<T>, again: () => Promise<T>): Promise<T> {
    try {
      return await first();
    } catch (error) {
      const missing = missingImages(error);
      const imageBytes = this.#imageBytes;
      if (missing === null || imageBytes === undefined) throw error;
      await this.putImages(missing, imageBytes, { signal });
      return again();
    }
  }

  async #call<T>(schema: z.ZodType<T>, call: Call): Promise<T> {
    const delays = call.retries ?? RETRY_DELAYS_MS;
    using both = linkedSignal([call.signal, this.#life].filter((signal) => signal !== undefined));
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(schema, call, both.signal);
      } catch (error) {
        const delay = delays[attempt];
        if (!(error instanceof EngineError) || error.code !== "engine.unreachable" || delay === undefined) throw error;
        await sleep(delay, undefined, { signal: both.signal }).catch(() => both.signal.throwIfAborted());
      }
    }
  }

  async #once<T>(schema: z.ZodType<T>, { method, path, body }: Call, signal: AbortSignal): Promise<T> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      "x-varft-protocol": wire.PROTOCOL_VERSION,
      ...(body === undefined ? {} : { "content-type": typeof body === "string" ? "application/json" : "image/png" }),
    };
    const answer = await this.#transport.send({
      method,
      url: new URL(path, this.url),
      headers,
      ...(body === undefined ? {} : { body }),
      signal,
    });
    const answering = answer.instanceId;
    if (this.instanceId !== "" && answering !== null && answering !== this.instanceId) {
      throw restarted(this.instanceId, answering);
    }
    const what = `${method} ${path.split("?", 1)[0]}`;
    if (answer.status >= 400) throw refusal(answer.status, answer.body, what);
    return parsed(schema, jsonOf(answer.body), what);
  }
}

function missingImages(error: unknown): string[] | null {
  if (!(error instanceof EngineError) || error.code !== "images.missing") return null;
  const missing = z.array(z.string()).safeParse(error.details["missing"]);
  return missing.success ? missing.data : null;
}

function jsonOf(body: string): unknown {
  try {
    return body === "" ? null : JSON.parse(body);
  } catch {
    return undefined;
  }
}

function refusal(status: number, body: string, what: string): VarftError {
  const shape = z.object({ error: wire.errorShapeSchema }).safeParse(jsonOf(body));
  return shape.success ? errorFromShape(shape.data.error) : badResponse(what, `status ${status} without a typed error`);
}

function restarted(expected: string, answering: string): EngineError {
  return new EngineError("engine.restarted", `the worker has restarted: life ${answering} answers, not ${expected}`, {
    hint: "Load the last committed checkpoint and go on from there.",
    details: { expected, instanceId: answering },
    retryable: true,
  });
}

function badResponse(what: string, problem: string): EngineError {
  return new EngineError("engine.bad_response", `${what}: ${problem}`, {
    hint: "Check that the address is that of a varft engine worker of this version.",
  });
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw badResponse(
    what,
    `the answer does not fit the wire at ${issue?.path.join(".") || "its root"}: ${issue?.message}`,
  );
}
