/**
 * 1 - repeated / calls: a call is repeated when an earlier one of the rollout had the same tool and input. Queries are compared without
 * case and spaces; the same code on another image is another call. 1 without calls.
 */
import type { RolloutRecord, ToolRun } from "../core/records.ts";
import { defineVerifier } from "./verifier.ts";

export const repeatedCalls = defineVerifier({
  name: "repeated_calls",
  score(rollout) {
    const keys = callKeys(rollout);
    const repeated = keys.length - new Set(keys).size;
    return { score: keys.length === 0 ? 1 : 1 - repeated / keys.length, detail: { repeated, calls: keys.length } };
  },
});

function callKeys({ task, turns }: RolloutRecord): string[] {
  let image = task.images[0] ?? null;
  return turns
    .flatMap((turn) => turn.toolRuns)
    .map((run) => {
      const key = JSON.stringify([run.tool, run.tool === "code" ? image : null, canonical(run.input, run)]);
      if (run.replacesImage) image = run.images[0] ?? image;
      return key;
    });
}

/** Keys sorted; texts of other tools than code without case and runs of spaces. */
function canonical(value: unknown, run: ToolRun): unknown {
  if (typeof value === "string") {
    return run.tool === "code" ? value.trim() : value.trim().toLowerCase().split(/\s+/).join(" ");
  }
  if (Array.isArray(value)) return value.map((inner) => canonical(inner, run));
  if (value === null || typeof value !== "object") return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, canonical(inner, run)]);
}
