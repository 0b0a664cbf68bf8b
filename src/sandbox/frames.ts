/**
 * Frames on a worker's pipes: `u32 header length (LE), JSON header, payloads` whose sizes the header names.
 * The Python side is `sandbox/varft_sandbox/framing.py`. Whatever comes out of a jail is checked here as if it were hostile.
 */
import { z } from "zod";
import type { SnippetLimits, SnippetOutcome, SnippetRequest } from "./types.ts";

const MAX_HEADER_BYTES = 65_536;
/** The sandbox's own line at the end of stderr. */
export const NOTE_BYTES = 1024;

/** A request as bytes: tag `R`, header, source (UTF-8; a lone surrogate becomes U+FFFD), image. */
export function encodeRequest(id: number, request: SnippetRequest, limits: SnippetLimits): Uint8Array[] {
  const source = Buffer.from(request.source, "utf8");
  const header = Buffer.from(
    JSON.stringify({ id, sourceBytes: source.length, imageBytes: request.image.length, limits }),
  );
  const prefix = Buffer.alloc(5);
  prefix.write("R", 0, "latin1");
  prefix.writeUInt32LE(header.length, 1);
  return [prefix, header, source, request.image];
}

/** Stops the running snippet; its response still comes. */
export const CANCEL = Buffer.from("C", "latin1");

export const readySchema = z.strictObject({
  ready: z.literal(1),
  baseMb: z.int().nonnegative(),
  landlockAbi: z.int().positive().nullable(),
});

const size = z.int().positive();
const responseSchema = z.strictObject({
  id: z.int(),
  status: z.enum(["ok", "exception", "timeout", "killed"]),
  exception: z.string().max(8192).nullable(),
  truncated: z.boolean(),
  durationMs: z.number().nonnegative(),
  output: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("image"), width: size, height: size }),
    z.strictObject({ kind: z.literal("none"), files: z.array(z.string().max(256)).max(8).optional() }),
    z.strictObject({ kind: z.literal("refused"), reason: z.string().max(8192) }),
  ]),
  stdoutBytes: z.int().nonnegative(),
  stderrBytes: z.int().nonnegative(),
  rgbBytes: z.int().nonnegative(),
});

/** What the worker said breaks the frame format: it is not to be believed any more. */
export class FrameError extends Error {}

/** Reads bytes as they arrive; `read(n)` waits for exactly n. One reader at a time. */
export class ByteQueue {
  readonly #chunks: Buffer[] = [];
  #held = 0;
  #wanted = 0;
  #ended: Error | null = null;
  #wake: (() => void) | null = null;

  /** Bytes that wait to be read. */
  get held(): number {
    return this.#held;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held >= this.#wanted) this.#wake?.();
  }

  end(reason: Error): void {
    this.#ended ??= reason;
    this.#wake?.();
  }

  async read(bytes: number): Promise<Buffer> {
    while (this.#held < bytes) {
      if (this.#ended !== null) throw this.#ended;
      this.#wanted = bytes;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = null;
    }
    return this.#take(bytes);
  }

  /** Copies only what spans several chunks. */
  #take(bytes: number): Buffer {
    this.#held -= bytes;
    const taken: Buffer[] = [];
    for (let missing = bytes; missing > 0;) {
      const chunk = this.#chunks.shift()!;
      if (chunk.length > missing) this.#chunks.unshift(chunk.subarray(missing));
      taken.push(chunk.subarray(0, missing));
      missing -= taken.at(-1)!.length;
    }
    return taken.length === 1 ? taken[0]! : Buffer.concat(taken, bytes);
  }
}

/** The next frame's header, as JSON of unknown shape. */
export async function readHeader(bytes: ByteQueue): Promise<unknown> {
  const length = (await bytes.read(4)).readUInt32LE(0);
  if (length > MAX_HEADER_BYTES) throw new FrameError(`header of ${length} bytes, at most ${MAX_HEADER_BYTES}`);
  try {
    return JSON.parse((await bytes.read(length)).toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw new FrameError(`header is no JSON: ${error.message}`);
    throw error;
  }
}

/** The response to request `id`. Throws `FrameError` for anything that a sound worker would not send. */
export async function readResponse(bytes: ByteQueue, id: number, limits: SnippetLimits): Promise<SnippetOutcome> {
  const parsed = responseSchema.safeParse(await readHeader(bytes));
  if (!parsed.success) throw new FrameError(`response header: ${z.prettifyError(parsed.error)}`);
  const header = parsed.data;
  const { output } = header;
  const pixels = output.kind === "image" ? output.width * output.height : 0;
  const sound =
    header.id === id &&
    header.stdoutBytes <= limits.outputBytes &&
    header.stderrBytes <= limits.outputBytes + NOTE_BYTES &&
    header.rgbBytes === pixels * 3 &&
    pixels <= limits.imagePixels;
  if (!sound) throw new FrameError(`response to ${id} breaks its limits: ${JSON.stringify(header)}`);
  const stdout = (await bytes.read(header.stdoutBytes)).toString("utf8");
  const stderr = (await bytes.read(header.stderrBytes)).toString("utf8");
  const pixelBytes = await bytes.read(header.rgbBytes);
  return {
    status: header.status,
    stdout,
    stderr,
    truncated: header.truncated,
    exception: header.exception,
    output: output.kind === "image" ? { ...output, rgb: plainView(pixelBytes) } : output,
    durationMs: header.durationMs,
  };
}

/** The same memory as a plain Uint8Array: a Buffer compares and serialises differently. */
function plainView(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
