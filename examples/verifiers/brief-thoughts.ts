/**
 * Rewards short thoughts: the share of steps whose thought has at most `words` words.
 *
 * In a recipe: `rewards: { ./brief-thoughts.ts: { weight: 0.1, words: 60 } }`
 */
import { z } from "zod";
import { defineVerifier } from "../../src/verifiers/verifier.ts";

export default defineVerifier({
  name: "brief_thoughts",
  // What a recipe may set beside the weight. Strict: a misspelt option is refused by name.
  options: z.strictObject({ words: z.int().positive().default(60) }),
  score(rollout, _task, _context, { words }) {
    const lengths = rollout.turns.map(({ step }) => (step.thought ?? "").split(/\s+/).filter(Boolean).length);
    const brief = lengths.filter((length) => length <= words).length;
    return { score: lengths.length === 0 ? 0 : brief / lengths.length, detail: { lengths } };
  },
});
