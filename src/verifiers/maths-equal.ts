/**
 * 1 when the final answer is a number or formula equal to a gold one (`maths/`), else 0. Null where no gold answer is a formula.
 *
 * `reference`: 1 when any number of the last completion, thought included, stands in a gold answer too. The public code compares so,
 * before every other check; it is here for comparison, not for use.
 */
import { z } from "zod";
import { isFormula, mathsEqual } from "./maths/equal.ts";
import { sharedNumber } from "./maths/numbers.ts";
import { variantOption } from "./setting.ts";
import { defineVerifier } from "./verifier.ts";

export const mathsEqualVerifier = defineVerifier({
  name: "maths_equal",
  options: z.strictObject({ variant: variantOption }),
  async score(rollout, task, _, { variant }) {
    const golds = task.private.answers;
    const formulas = (await Promise.all(golds.map(isFormula))).includes(true);
    if (!formulas) return { score: null, detail: {} };
    const { answer } = rollout;
    if (variant === "reference") {
      const text = rollout.turns.at(-1)?.text ?? "";
      return { score: golds.some((gold) => sharedNumber(text, gold)) ? 1 : 0, detail: { variant } };
    }
    if (answer === null) return { score: 0, detail: { answer } };
    const equal = (await Promise.all(golds.map((gold) => mathsEqual(answer, gold)))).includes(true);
    return { score: equal ? 1 : 0, detail: { answer } };
  },
});
