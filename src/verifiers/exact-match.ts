/** MAT's exact match, by the coding rules: 1 when the normalised answer equals any normalised gold answer; 0 without an answer. */
import { matScore } from "./matching/mat.ts";
import { normaliseAnswer } from "./matching/normalise.ts";
import { defineVerifier } from "./verifier.ts";

export const exactMatch = defineVerifier({
  name: "exact_match",
  score({ answer }, task) {
    const golds = task.private.answers;
    const { em } = matScore(answer, golds, "coding");
    if (answer === null) return { score: em, detail: { answer } };
    const normalised = (text: string): string => normaliseAnswer(text, "coding");
    return { score: em, detail: { answer: normalised(answer), golds: golds.map(normalised) } };
  },
});
