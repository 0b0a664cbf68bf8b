/**
 * A worker that somebody else started, by URL. Its port should be reached through a tunnel or a TLS proxy: the worker itself speaks
 * plain HTTP.
 */
import { ConfigError, EngineError } from "../core/errors.ts";
import { EngineClient, type EngineClientOptions } from "./client.ts";
import { type EngineExit, type EngineHandle, HEALTH_WATCH, type HealthWatchOptions, watchHealth } from "./handle.ts";
import { TOKEN_VARIABLE } from "./worker-environment.ts";

export interface RemoteEngineOptions {
  /** For example `http://127.0.0.1:8600`. Carries no credentials. */
  url: string;
  /** Name of the environment variable that holds the token. */
  tokenVariable?: string;
  imageBytes?: EngineClientOptions["imageBytes"];
  healthWatch?: HealthWatchOptions;
  signal?: AbortSignal;
}

/**
 * The handle of a running worker. `stop()` disconnects and leaves it running; `restart()` connects to whatever life runs there then.
 * Throws `config.bad_engine_url`, `config.no_engine_token`, `engine.unreachable`, `engine.unauthorized`, `engine.version_mismatch`.
 */
export async function connectEngine(options: RemoteEngineOptions): Promise<EngineHandle> {
  const url = originOf(options.url);
  const variable = options.tokenVariable ?? TOKEN_VARIABLE;
  const token = process.env[variable];
  if (token === undefined || token === "") {
    throw new ConfigError(
      "config.no_engine_token",
      `${variable} is not set, and the worker at ${url} wants its token`,
      {
        hint: `Set ${variable} to the value the worker was started with.`,
      },
    );
  }
  const life = new AbortController();
  const shared = { url, token, imageBytes: options.imageBytes, life: life.signal };
  const info = await new EngineClient(shared).info({ signal: options.signal });
  const client = new EngineClient({ ...shared, instanceId: info.instanceId });
  let end: (exit: EngineExit) => void = () => {};
  const exited = new Promise<EngineExit>((resolve) => (end = resolve));
  const finish = (error: EngineError | null): void => {
    if (life.signal.aborted) return;
    life.abort(error ?? new EngineError("engine.stopped", `disconnected from the engine worker at ${url}`));
    end({ code: null, signal: null, error });
  };
  watchHealth(client, life.signal, options.healthWatch ?? HEALTH_WATCH, (cause) => {
    const message = `the engine worker at ${url} no longer answers`;
    const hint = "Look at the worker's machine and log.";
    const restarted = cause instanceof EngineError && cause.code === "engine.restarted";
    finish(restarted ? cause : new EngineError("engine.unreachable", message, { hint, retryable: true, cause }));
  });
  const stop = (): Promise<void> => Promise.resolve(finish(null));
  return {
    client,
    info,
    pid: null,
    exited,
    stop,
    async restart() {
      await stop();
      return connectEngine(options);
    },
  };
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const usable = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !usable || url.username !== "" || url.password !== "") {
    const problem = url !== null && usable ? "it carries credentials" : "it is no http(s) URL";
    throw new ConfigError("config.bad_engine_url", `the engine's address cannot be used: ${problem}`, {
      hint: "Give http://HOST:PORT, and the token in the environment.",
    });
  }
  return url.origin;
}
