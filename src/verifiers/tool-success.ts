/** Share of tool runs that were ok: ok / runs. Without a run nothing failed: `withoutRuns`, 1 by default. */
import { z } from "zod";
import { defineVerifier } from "./verifier.ts";

export const toolSuccess = defineVerifier({
  name: "tool_success",
  options: z.strictObject({ withoutRuns: z.number().min(0).max(1).default(1) }),
  score(rollout, _, __, { withoutRuns }) {
    const runs = rollout.turns.flatMap((turn) => turn.toolRuns);
    const ok = runs.filter((run) => run.status === "ok").length;
    return { score: runs.length === 0 ? withoutRuns : ok / runs.length, detail: { ok, runs: runs.length } };
  },
});
