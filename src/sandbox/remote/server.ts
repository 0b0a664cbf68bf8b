/** Serves a sandbox to other hosts over HTTP: token, Host and Origin checks, a bounded queue, cancellation when a client leaves. */
import { once } from "node:events";
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigError, SandboxError, VarftError } from "../../core/errors.ts";
import { packageVersion } from "../../core/installation.ts";
import type { Sandbox } from "../types.ts";
import { Body } from "./body.ts";
import { Lanes } from "./lanes.ts";
import {
  checkedToken,
  decodeRun,
  encodeOutcome,
  FULL_STATUS,
  type Hello,
  LOST_STATUS,
  MAX_BODY_BYTES,
  MIN_TOKEN_CHARACTERS,
  PROTOCOL,
  SIGN_OF_LIFE_MS,
  TOKEN_VARIABLE,
} from "./wire.ts";

export interface ServeOptions {
  sandbox: Sandbox;
  workers: number;
  host: string;
  /** 0: any free one. */
  port: number;
  token: string;
  /** Requests held in memory at a time, running and waiting; default: four per worker. More wait in order of arrival, unread. */
  capacity?: number;
  maxBodyBytes?: number;
  /** Told when the pool has given up: every later snippet would be refused. */
  onBroken?: (error: SandboxError) => void;
  /** How long a client may stall while it sends a request or takes its answer; default 10 s. */
  stallMs?: number;
}

/** Requests that wait unread; whoever comes then is told to come again. */
const MAX_WAITING = 256;
/** Beyond those that are served: new ones and idle ones. Descriptors are the pool's too. */
const SPARE_CONNECTIONS = 64;
/** Until a connection has said what it wants. */
const HEADERS_MS = 10_000;
/** For a whole body, however steadily it drips. */
const BODY_MS = 300_000;

export interface SandboxServer {
  url: string;
  /** Stops listening and ends the connections; the sandbox stays its opener's to close. */
  close(): Promise<void>;
}

export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);

/** Throws `config.bad_token` for a token that can be guessed, `sandbox.cannot_listen`. */
export async function serveSandbox(options: ServeOptions): Promise<SandboxServer> {
  checkedToken(options.token);
  if (options.token.length < MIN_TOKEN_CHARACTERS) {
    throw new ConfigError(
      "config.bad_token",
      `the token has ${options.token.length} characters, at least ${MIN_TOKEN_CHARACTERS} are needed`,
      {
        hint: `Set ${TOKEN_VARIABLE} to a long random string, for example from \`openssl rand -base64 24\`.`,
      },
    );
  }
  const handle = handler(options);
  // No time limit of Node's own on a request: one that waits for its turn is not read meanwhile.
  const timeouts = { headersTimeout: HEADERS_MS, requestTimeout: 0, connectionsCheckingInterval: HEADERS_MS / 2 };
  const server = createServer(timeouts, (request, response) => {
    handle(request, response).catch((error: unknown) => refuse(response, 500, error));
  });
  server.maxConnections = capacityOf(options) + MAX_WAITING + SPARE_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error): void =>
      reject(
        new SandboxError(
          "sandbox.cannot_listen",
          `cannot listen on ${options.host}:${options.port}: ${cause.message}`,
          {
            hint: "Choose another --port or --host.",
            cause,
          },
        ),
      );
    server.once("error", failed);
    server.listen(options.port, options.host, () => (server.off("error", failed), resolve()));
  });
  const { address, port, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const capacityOf = ({ workers, capacity = 4 * workers }: ServeOptions): number => capacity;

function handler(options: ServeOptions): Handler {
  const { sandbox, workers, host, token } = options;
  const capacity = capacityOf(options);
  const lanes = new Lanes(capacity);
  const expected = digest(`Bearer ${token}`);
  return async (request, response) => {
    const route = `${request.method} ${request.url}`;
    // No page in a browser has business here, under whatever name it found us.
    if (request.headers.origin !== undefined) return refuse(response, 403, "browsers are not served");
    if (isLoopback(host) && !isLoopback((request.headers.host ?? "").replace(/:\d+$/, ""))) {
      return refuse(response, 403, "unexpected Host");
    }
    if (route === "GET /health") return answer(response, { ok: true, protocol: PROTOCOL });
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), expected)) {
      return refuse(response, 401, "wrong token");
    }
    if (route === "GET /v1/hello") {
      const hello: Hello = { protocol: PROTOCOL, version: packageVersion(), tier: sandbox.tier, workers, capacity };
      return answer(response, hello);
    }
    if (route !== "POST /v1/run") return refuse(response, 404, "no such route");
    if (lanes.waiting >= MAX_WAITING) {
      return refuse(response.setHeader("retry-after", "1"), FULL_STATUS, "the queue is full");
    }
    const left = new AbortController();
    response.once("close", () => left.abort(new Error("the client left")));
    const signs = setInterval(() => response.headersSent || response.writeProcessing(), SIGN_OF_LIFE_MS);
    try {
      await lanes.use(left.signal, () => run(options, request, response, left.signal));
    } finally {
      clearInterval(signs);
    }
  };
}

/** Resolves when the answer has left, or the client has: until then both are held in memory. */
async function run(
  { sandbox, onBroken, maxBodyBytes = MAX_BODY_BYTES, stallMs = 10_000 }: ServeOptions,
  request: IncomingMessage,
  response: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  response.setTimeout(stallMs, () => response.destroy());
  const body = await bodyOf(request, maxBodyBytes);
  if (body === null) return refuse(response, 413, `a body of more than ${maxBodyBytes} bytes`);
  let decoded: ReturnType<typeof decodeRun>;
  try {
    decoded = decodeRun(body);
  } catch (error) {
    return refuse(response, 400, error);
  }
  response.setTimeout(0);
  try {
    const outcome = await sandbox.run(decoded, { signal: left });
    if (outcome.status === "lost") return refuse(response, LOST_STATUS, "the snippet was lost");
    const data = encodeOutcome(outcome);
    response.setTimeout(stallMs, () => response.destroy());
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": data.length }).end(data);
  } catch (error) {
    if (left.aborted) return;
    refuse(response, error instanceof ConfigError ? 400 : 503, error);
    if (error instanceof SandboxError && error.code === "sandbox.broken") onBroken?.(error);
    return;
  }
  if (!left.aborted) await once(response, "close");
}

/** Null when it is longer than `maxBytes`; rejects when the client leaves before its end, or takes too long. */
async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return null;
  const timer = setTimeout(() => request.destroy(), BODY_MS);
  const body = new Body(maxBytes);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) if (!body.add(chunk)) return null;
    return body.bytes;
  } finally {
    clearTimeout(timer);
  }
}

function answer(response: ServerResponse, value: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** An error's JSON form; the connection ends, for what is left of a body is not read. */
function refuse(response: ServerResponse, status: number, reason: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const message = reason instanceof Error ? reason.message : String(reason);
  const error = reason instanceof VarftError ? reason : new SandboxError("sandbox.remote_refused", message);
  response.writeHead(status, { "content-type": "application/json", connection: "close" }).end(JSON.stringify(error));
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
