/**
 * 1 when the answer is right and a tool was used: with a small negative weight, a price for tools that is paid on success alone.
 * Charged always, it would teach a policy that often fails to stop trying.
 */
import { exactMatch } from "./exact-match.ts";
import { defineVerifier } from "./verifier.ts";

export const toolUseWhenRight = defineVerifier({
  name: "tool_use_when_right",
  async score(rollout, task, context) {
    const runs = rollout.turns.flatMap((turn) => turn.toolRuns).length;
    const { score: right } = await exactMatch.score(rollout, task, context);
    return { score: right === 1 && runs > 0 ? 1 : 0, detail: { runs, right } };
  },
});
