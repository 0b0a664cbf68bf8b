/**
 * Identical (code, image) pairs run once: rollouts of a group often write the same snippet for the same image.
 */
import { createHash } from "node:crypto";
import type { Sandbox, SnippetOutcome, SnippetRequest } from "../../sandbox/types.ts";

/** All outcomes together. */
const CAPACITY_BYTES = 256 * 2 ** 20;

/** Of an outcome that says nothing at all, with its key. */
const LEAST_BYTES = 1024;

/** What a repeat would give again: a timeout depends on the clock, a lost process on luck. */
const REPEATABLE: ReadonlySet<SnippetOutcome["status"]> = new Set(["ok", "exception", "killed"]);

/**
 * A sandbox that remembers. Requests under way are shared; outcomes are kept, oldest out first. An aborted request is not shared
 * further: whoever joins it runs the snippet anew.
 */
export function memoisedSandbox(sandbox: Sandbox, capacityBytes = CAPACITY_BYTES): Sandbox {
  const kept = new Map<string, SnippetOutcome>();
  const running = new Map<string, Promise<SnippetOutcome>>();
  let bytes = 0;

  const keep = (key: string, outcome: SnippetOutcome): void => {
    if (!REPEATABLE.has(outcome.status)) return;
    kept.set(key, outcome);
    bytes += sizeOf(outcome);
    for (const [oldest, value] of kept) {
      if (bytes <= capacityBytes) break;
      kept.delete(oldest);
      bytes -= sizeOf(value);
    }
  };

  return {
    tier: sandbox.tier,
    async run(request, options) {
      const key = keyOf(request);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const joined = running.get(key);
      if (joined !== undefined) return joined.catch(() => sandbox.run(request, options));
      const started = sandbox.run(request, options);
      running.set(key, started);
      try {
        const outcome = await started;
        keep(key, outcome);
        return outcome;
      } finally {
        running.delete(key);
      }
    },
    close: () => sandbox.close(),
  };
}

function keyOf({ source, image, limits }: SnippetRequest): string {
  const hash = createHash("sha256").update(JSON.stringify([source, limits ?? {}]));
  return hash.update("\n").update(image).digest("hex");
}

function sizeOf({ output, stdout, stderr, exception }: SnippetOutcome): number {
  const characters = stdout.length + stderr.length + (exception?.length ?? 0);
  return LEAST_BYTES + (output.kind === "image" ? output.rgb.length : 0) + 2 * characters;
}
