/**
 * One HTTP exchange with the worker, over `node:http`: `fetch` gives up after 300 s without headers, and a sample may take longer.
 * It waits as long as the connection lives; TCP keep-alive, the caller's signals and the health watch end it.
 */
import http from "node:http";
import https from "node:https";
import { EngineError } from "../core/errors.ts";

export interface HttpRequest {
  method: "GET" | "PUT" | "POST";
  url: URL;
  headers: Record<string, string>;
  body?: string | Uint8Array;
  /** Aborting closes the connection and rejects with the signal's reason. */
  signal: AbortSignal;
}

export interface HttpResponse {
  status: number;
  /** `x-varft-instance`: the life that answered; null when it is no worker. */
  instanceId: string | null;
  body: string;
}

const KEEP_ALIVE = { keepAlive: true, keepAliveMsecs: 30_000 };

/** Connections of one client. */
export class Transport {
  readonly #http = new http.Agent(KEEP_ALIVE);
  readonly #https = new https.Agent(KEEP_ALIVE);

  /** Rejects with `engine.unreachable` (retryable) when the connection fails or breaks, and with the signal's reason when aborted. */
  async send({ method, url, headers, body, signal }: HttpRequest): Promise<HttpResponse> {
    signal.throwIfAborted();
    const secure = url.protocol === "https:";
    const request = (secure ? https : http).request(url, {
      method,
      agent: secure ? this.#https : this.#http,
      headers: { ...headers, ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }) },
    });
    const abort = (): void => void request.destroy();
    signal.addEventListener("abort", abort);
    try {
      return await exchange(request, body);
    } catch (cause) {
      signal.throwIfAborted();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EngineError("engine.unreachable", `no answer from the engine worker at ${url.origin}: ${reason}`, {
        hint: "Check that the worker runs and that the address is right; its log says why it stopped.",
        details: { url: url.origin, reason },
        retryable: true,
        cause,
      });
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

function exchange(request: http.ClientRequest, body: string | Uint8Array | undefined): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    // An aborted request that was not sent yet closes without an error event.
    request.on("close", () => reject(new Error("the connection was closed before the answer")));
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          instanceId: response.headers["x-varft-instance"]?.toString() ?? null,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.end(body);
  });
}
