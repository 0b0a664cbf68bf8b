/** A sandbox on another host, behind the same interface as one here. */
import { setMaxListeners } from "node:events";
import { ConfigError, SandboxError, VarftError } from "../../core/errors.ts";
import { ByteQueue, NOTE_BYTES, readResponse } from "../frames.ts";
import { defaultLimits, resolveLimits } from "../limits.ts";
import type { Sandbox, SandboxTier, SnippetLimits, SnippetOutcome, SnippetRequest } from "../types.ts";
import { failedOutcome } from "../worker.ts";
import { type Ask, exchange, type Reply, Unreachable } from "./exchange.ts";
import { Lanes } from "./lanes.ts";
import { broken, isLost, jsonOf, refusal, unreachable } from "./replies.ts";
import {
  checkedToken,
  encodeRun,
  FULL_STATUS,
  type Hello,
  helloSchema,
  MAX_TEXT_BYTES,
  PROTOCOL,
  SIGN_OF_LIFE_MS,
  TOKEN_VARIABLE,
} from "./wire.ts";

export interface RemoteSandboxOptions {
  /** As `varft sandbox serve` printed it. */
  url: string;
  /** Default: `VARFT_SANDBOX_TOKEN`. */
  token?: string;
  /** Refuse a server of another tier. */
  tier?: SandboxTier;
  /** Snippets sent at a time; default: as many as the server takes. */
  workers?: number;
  limits?: Partial<SnippetLimits>;
  /** How long an unreachable server is tried again before that is an error; default 5 s at first, a minute for one that was there. */
  patienceMs?: number;
}

const FIRST_PATIENCE_MS = 5000;
const PATIENCE_MS = 60_000;
/** Between two attempts to reach a server. */
const MAX_PAUSE_MS = 2000;
/** Beyond this a proxy that swallows the server's signs of life is no excuse any more. */
const SILENCE_MS = 12 * SIGN_OF_LIFE_MS;
/** What any server gets to say its first word, however short the patience. */
const MIN_SILENCE_MS = 500;
/** Snippets lost in a row, without one served between, before the server counts as broken; as in a pool. */
const MAX_STRIKES = 5;

/** Characters of invalid UTF-8 come back as three bytes each. */
const REPLACED_BYTES = 3;

/**
 * Opens a remote pool. Throws `config.bad_url`, `config.no_token`, `config.bad_token`, `sandbox.unreachable`,
 * `sandbox.remote_refused` (wrong token), `sandbox.version_mismatch`, `sandbox.tier_unavailable`.
 */
export async function openRemoteSandbox(options: RemoteSandboxOptions): Promise<Sandbox> {
  const url = checkedUrl(options.url);
  const token = options.token ?? process.env[TOKEN_VARIABLE] ?? "";
  if (token === "") {
    throw new ConfigError(
      "config.no_token",
      `the sandbox at ${url.origin} needs a token, and ${TOKEN_VARIABLE} is not set`,
      {
        hint: `Set ${TOKEN_VARIABLE} to the value that \`varft sandbox serve\` runs with.`,
      },
    );
  }
  checkedToken(token);
  const patienceMs = options.patienceMs ?? FIRST_PATIENCE_MS;
  const greeting = { maxReplyBytes: MAX_TEXT_BYTES, silenceMs: Math.max(patienceMs, MIN_SILENCE_MS) };
  const hello = await reached(url, patienceMs, undefined, async () => {
    try {
      return greet(await exchange(new URL("v1/hello", url), token, greeting), url);
    } catch (error) {
      // Nothing has begun there: whatever is no answer of a server, is no server.
      throw error instanceof VarftError ? error : new Unreachable((error as Error).message);
    }
  });
  if (options.tier !== undefined && options.tier !== hello.tier) {
    throw new SandboxError(
      "sandbox.tier_unavailable",
      `expected the tier ${options.tier} at ${url.origin}, got ${hello.tier}`,
      {
        hint: "Leave sandbox.tier out, or ask whoever runs the server.",
      },
    );
  }
  const limits = resolveLimits(defaultLimits, options.limits);
  const send: Send = (ask) =>
    reached(url, options.patienceMs ?? PATIENCE_MS, ask.signal, () => exchange(new URL("v1/run", url), token, ask));
  return remoteSandbox(hello, Math.min(options.workers ?? hello.capacity, hello.capacity), limits, send);
}

type Send = (ask: Ask) => Promise<Reply>;

/** What `attempt` gives, tried again while nobody can be reached; after `patienceMs` that is `sandbox.unreachable`. */
async function reached<T>(
  url: URL,
  patienceMs: number,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let waitMs = 100; ; waitMs = Math.min(2 * waitMs, MAX_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      if (performance.now() + waitMs > deadline) throw unreachable(url, error);
      await pause(waitMs, signal);
    }
  }
}

function remoteSandbox({ tier }: Hello, atATime: number, defaults: SnippetLimits, send: Send): Sandbox {
  const lanes = new Lanes(atATime);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // one for each snippet under way
  let strikes = 0;
  const runOnce = async (
    request: SnippetRequest,
    limits: SnippetLimits,
    signal: AbortSignal,
  ): Promise<SnippetOutcome> => {
    const began = performance.now();
    const lost = (why: string): SnippetOutcome => {
      strikes += 1;
      if (strikes >= MAX_STRIKES + atATime) throw broken(strikes, why);
      return failedOutcome("lost", performance.now() - began);
    };
    const ask: Ask = {
      body: encodeRun(request, limits),
      signal,
      maxReplyBytes: MAX_TEXT_BYTES + 2 * (REPLACED_BYTES * limits.outputBytes + NOTE_BYTES) + 3 * limits.imagePixels,
      silenceMs: SILENCE_MS + 2 * limits.timeoutMs,
    };
    for (;;) {
      let reply: Reply;
      try {
        reply = await send(ask);
        if (reply.status === 200) {
          const outcome = await outcomeOf(reply, limits);
          strikes = 0;
          return outcome;
        }
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof SandboxError) throw error;
        return lost((error as Error).message);
      }
      if (isLost(reply)) return lost(`status ${reply.status}`);
      if (reply.status !== FULL_STATUS) throw refusal(reply);
      await pause(reply.retryAfterMs, signal);
    }
  };
  return {
    tier,
    async run(request, { signal } = {}) {
      const all = signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal]);
      all.throwIfAborted();
      const limits = resolveLimits(defaults, request.limits);
      return lanes.use(all, () => runOnce(request, limits, all));
    },
    close() {
      closing.abort(new SandboxError("sandbox.closed", "the sandbox is closed", { hint: "Open a new one." }));
      return Promise.resolve();
    },
  };
}

/** Checked like a worker's response: what comes over a network is believed no more. */
function outcomeOf({ body }: Reply, limits: SnippetLimits): Promise<SnippetOutcome> {
  const bytes = new ByteQueue();
  bytes.push(body);
  bytes.end(new Error("the response ended early"));
  return readResponse(bytes, 0, { ...limits, outputBytes: REPLACED_BYTES * limits.outputBytes });
}

function greet(reply: Reply, url: URL): Hello {
  if (reply.status !== 200) throw refusal(reply);
  const parsed = helloSchema.safeParse(jsonOf(reply));
  if (!parsed.success || parsed.data.protocol !== PROTOCOL) {
    const theirs = parsed.success ? `protocol ${parsed.data.protocol}` : "something else";
    throw new SandboxError(
      "sandbox.version_mismatch",
      `${url.origin} speaks ${theirs}, this program protocol ${PROTOCOL}`,
      {
        hint: "Check that sandbox.url is the address that `varft sandbox serve` printed, and run the same version of varft on both hosts.",
      },
    );
  }
  return parsed.data;
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === "") {
    return new URL(url.pathname.replace(/\/*$/, "/"), url);
  }
  throw new ConfigError(
    "config.bad_url",
    "sandbox url: expected http(s)://host:port without a user, a password or a query",
    {
      hint: "Give the address that `varft sandbox serve` printed; the token goes into the environment.",
    },
  );
}

/** Rejects with the signal's reason when aborted meanwhile. */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => (signal?.removeEventListener("abort", stop), resolve()), ms);
    const stop = (): void => (clearTimeout(timer), reject(signal?.reason as Error));
    signal?.addEventListener("abort", stop, { once: true });
  });
}
