/** One HTTP exchange with a remote pool. Not fetch: it gives up on answers that take longer than five minutes. */
import { type ClientRequest, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { Body } from "./body.ts";

export interface Reply {
  status: number;
  body: Buffer;
  retryAfterMs: number;
}

/** No connection came about: nothing was sent. */
export class Unreachable extends Error {}

export interface Ask {
  body?: Buffer;
  signal?: AbortSignal | undefined;
  /** Longest answer that is taken. */
  maxReplyBytes: number;
  /** Longest silence on the connection. */
  silenceMs: number;
}

/** Rejects with `Unreachable`, with the signal's reason, or with what broke an exchange under way. */
export function exchange(url: URL, token: string, ask: Ask): Promise<Reply> {
  const { body, signal, maxReplyBytes, silenceMs } = ask;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const open = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request: ClientRequest = open(url, {
      method: body === undefined ? "GET" : "POST",
      // A connection each: when a kept one breaks, nobody can tell whether the snippet had begun.
      agent: false,
      timeout: silenceMs,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/octet-stream", "content-length": body.length }),
      },
    });
    let connected = false;
    const abort = (): void => void request.destroy(signal?.reason as Error);
    signal?.addEventListener("abort", abort, { once: true });
    request.once("close", () => signal?.removeEventListener("abort", abort));
    request.once("timeout", () => request.destroy(new Error(`no word for ${silenceMs / 1000} s`)));
    request.once("socket", (socket) => {
      socket.setKeepAlive(true, 15_000);
      socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => (connected = true));
    });
    const failed = (error: Error): void => {
      if (signal?.aborted === true) reject(signal.reason as Error);
      else reject(connected ? error : new Unreachable(error.message));
    };
    request.once("error", failed);
    request.once("response", (response) => {
      const received = new Body(maxReplyBytes);
      response.on("data", (chunk: Buffer) => {
        if (!received.add(chunk)) response.destroy(new Error(`an answer of more than ${maxReplyBytes} bytes`));
      });
      response.once("error", failed);
      response.once("end", () => {
        const seconds = Number(response.headers["retry-after"] ?? 1);
        const retryAfterMs = Math.min(Math.max(seconds || 1, 0.1), 30) * 1000;
        resolve({ status: response.statusCode ?? 0, body: received.bytes, retryAfterMs });
      });
    });
    request.end(body);
  });
}
