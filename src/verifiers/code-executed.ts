/**
 * 1 when a snippet of the rollout ran and left a valid output image, which is what the reference replaces by a constant 0.9.
 * Null for tasks whose image needs no code.
 */
import { defineVerifier } from "./verifier.ts";

export const codeExecuted = defineVerifier({
  name: "code_executed",
  score(rollout, task) {
    if (task.private.kind === "none") return { score: null, detail: {} };
    const runs = rollout.turns.flatMap((turn) => turn.toolRuns).filter((run) => run.tool === "code");
    const worked = runs.filter((run) => run.status === "ok" && run.replacesImage).length;
    return { score: worked > 0 ? 1 : 0, detail: { runs: runs.length, worked } };
  },
});
