/** Share of steps in the strict format: one thought, exactly one action. Judged on the text, whatever parsing the environment used. */
import { parseStep } from "../protocol/parse.ts";
import { defineVerifier } from "./verifier.ts";

export const format = defineVerifier({
  name: "format",
  score(rollout) {
    const faults = rollout.turns.map((turn) => parseStep(turn.text, "strict").faults);
    const good = faults.filter((found) => found.length === 0).length;
    return { score: faults.length === 0 ? 0 : good / faults.length, detail: { faults } };
  },
});
