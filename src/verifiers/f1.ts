/** MAT's F1, by the coding rules: the best overlap with a gold answer, 1 for an exact match, 0 without an answer. */
import { matScore } from "./matching/mat.ts";
import { defineVerifier } from "./verifier.ts";

export const f1 = defineVerifier({
  name: "f1",
  score({ answer }, task) {
    const score = matScore(answer, task.private.answers, "coding");
    return { score: score.f1, detail: { em: score.em } };
  },
});
