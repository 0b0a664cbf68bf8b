/** What a client makes of a server, or of whatever stands in its place, that does not do what was asked. */
import { SandboxError } from "../../core/errors.ts";
import type { Reply } from "./exchange.ts";
import { errorShapeSchema, LOST_STATUS, MAX_TEXT_BYTES, TOKEN_VARIABLE } from "./wire.ts";

/** Of a server's words, in an error's message. */
const MAX_SHOWN = 500;

export function broken(strikes: number, why: string): SandboxError {
  return new SandboxError("sandbox.broken", `the sandbox server lost ${strikes} snippets in a row: ${shown(why)}`, {
    hint: "Look at the server's log and at what stands between it and here, then resume.",
    retryable: true,
  });
}

/** What a server says in words is shown to people: in a form that can do no more than be read. */
export function refusal(reply: Reply): SandboxError {
  if (reply.status === 401) {
    return new SandboxError("sandbox.remote_refused", "the sandbox server refused the token", {
      hint: `Set ${TOKEN_VARIABLE} to the value that \`varft sandbox serve\` runs with.`,
    });
  }
  const { data } = errorShapeSchema.safeParse(jsonOf(reply));
  if (data === undefined) {
    return new SandboxError("sandbox.remote_refused", `the sandbox server answered with status ${reply.status}`, {
      hint: "Check that sandbox.url is the address that `varft sandbox serve` printed: neither redirects nor other servers are followed.",
    });
  }
  const code = /^(sandbox|config)\.[a-z_]{1,40}$/.test(data.code) ? data.code : "sandbox.remote_refused";
  return new SandboxError(code, `the sandbox server says: ${shown(data.message)}`, {
    ...(data.hint === null ? {} : { hint: shown(data.hint) }),
    retryable: data.retryable,
  });
}

/** One line without control characters or direction marks. */
function shown(text: string): string {
  return text.slice(0, MAX_SHOWN).replace(/[\p{C}\p{Z}]+/gu, " ");
}

export function unreachable(url: URL, cause: Error): SandboxError {
  return new SandboxError("sandbox.unreachable", `no sandbox answers at ${url.origin}: ${shown(cause.message)}`, {
    hint: "Start `varft sandbox serve` there, and check sandbox.url, the port and the network.",
    details: { url: url.origin },
    retryable: true,
    cause,
  });
}

export function jsonOf({ body }: Reply): unknown {
  if (body.length > MAX_TEXT_BYTES) return null;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
}

/** Lost there, or by whatever stands between: a proxy's complaint has no form of ours. */
export function isLost(reply: Reply): boolean {
  const complaint = reply.status >= 500 || reply.status === 408;
  return reply.status === LOST_STATUS || (complaint && !errorShapeSchema.safeParse(jsonOf(reply)).success);
}
