/**
 * What a remote pool and its clients say to each other: HTTP, bodies in binary frames (`../frames.ts`), never base64.
 *
 *     GET  /health   200 {"ok": true, "protocol": 1}; no token needed
 *     GET  /v1/hello 200 Hello
 *     POST /v1/run   frame {sourceBytes, imageBytes, limits}, source, image
 *                    102 every few seconds: still there · 200 an outcome's frame · 429 full, Retry-After
 *                    502 the snippet was lost · else an error's JSON form
 */
import { z } from "zod";
import { ConfigError } from "../../core/errors.ts";
import type { SnippetLimits, SnippetOutcome, SnippetRequest } from "../types.ts";
import { SANDBOX_TIERS } from "../types.ts";

export const PROTOCOL = 1;
/** Environment variable of the token, on both sides. */
export const TOKEN_VARIABLE = "VARFT_SANDBOX_TOKEN";
export const MIN_TOKEN_CHARACTERS = 24;
/** Well below what a server takes as headers. */
const MAX_TOKEN_CHARACTERS = 1024;
/** A server that is at work on a request says so this often. */
export const SIGN_OF_LIFE_MS = 5000;
/** Of one request: source and canonical PNG. */
export const MAX_BODY_BYTES = 256 * 2 ** 20;
/** Of a greeting or a refusal. */
export const MAX_TEXT_BYTES = 65_536;
/** Status of a response whose snippet was lost with its worker. */
export const LOST_STATUS = 502;
export const FULL_STATUS = 429;

/** The token, or `config.bad_token` for one that no header can carry; never repeated. */
export function checkedToken(token: string): string {
  if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(token) && token.length <= MAX_TOKEN_CHARACTERS) return token;
  throw new ConfigError(
    "config.bad_token",
    `${TOKEN_VARIABLE}: expected up to ${MAX_TOKEN_CHARACTERS} printable ASCII characters without blanks or line ends around them`,
    { hint: "Make one with `openssl rand -base64 24`; read from a file, it must lose its line end." },
  );
}

export const helloSchema = z.object({
  protocol: z.int(),
  version: z.string(),
  tier: z.enum(SANDBOX_TIERS),
  workers: z.int().positive(),
  /** Requests that it takes at a time, running and waiting. */
  capacity: z.int().positive(),
});
export type Hello = z.infer<typeof helloSchema>;

export const errorShapeSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
  retryable: z.boolean(),
});

const limit = z.int().positive();
const requestSchema = z.strictObject({
  sourceBytes: z.int().nonnegative(),
  imageBytes: z.int().nonnegative(),
  limits: z.strictObject({
    timeoutMs: limit,
    memoryMb: limit,
    diskMb: limit,
    outputBytes: limit,
    imagePixels: limit,
  }),
});

export function encodeRun({ source, image }: SnippetRequest, limits: SnippetLimits): Buffer {
  const text = Buffer.from(source, "utf8");
  return framed({ sourceBytes: text.length, imageBytes: image.length, limits }, [text, image]);
}

/** Throws for a body that is not exactly one frame. */
export function decodeRun(body: Buffer): Required<SnippetRequest> {
  const length = body.length < 4 ? Number.NaN : body.readUInt32LE(0);
  if (!(length <= body.length - 4)) throw new Error(`a body of ${body.length} bytes holds no frame`);
  const parsed = requestSchema.safeParse(JSON.parse(body.toString("utf8", 4, 4 + length)));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const { sourceBytes, imageBytes, limits } = parsed.data;
  const from = 4 + length;
  if (from + sourceBytes + imageBytes !== body.length) {
    throw new Error(`the frame needs ${from + sourceBytes + imageBytes} bytes, the body has ${body.length}`);
  }
  const image = body.subarray(from + sourceBytes);
  return { source: body.toString("utf8", from, from + sourceBytes), image, limits };
}

/** An outcome as a worker would have framed it; `lost` has no frame, it is `LOST_STATUS`. */
export function encodeOutcome({ stdout, stderr, output, ...rest }: SnippetOutcome): Buffer {
  const texts = [Buffer.from(stdout, "utf8"), Buffer.from(stderr, "utf8")] as const;
  const [rgb, described] = output.kind === "image" ? [output.rgb, withoutPixels(output)] : [new Uint8Array(), output];
  const sizes = { stdoutBytes: texts[0].length, stderrBytes: texts[1].length, rgbBytes: rgb.length };
  return framed({ id: 0, ...rest, output: described, ...sizes }, [...texts, rgb]);
}

function withoutPixels({ kind, width, height }: { kind: "image"; width: number; height: number }): object {
  return { kind, width, height };
}

function framed(header: object, payloads: readonly Uint8Array[]): Buffer {
  const encoded = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(encoded.length);
  return Buffer.concat([length, encoded, ...payloads]);
}
