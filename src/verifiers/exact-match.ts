/** 1 when the normalised answer equals any normalised gold answer; 0 without an answer. */
import { normaliseAnswer } from "./normalise.ts";
import { defineVerifier } from "./verifier.ts";

export const exactMatch = defineVerifier({
  name: "exact_match",
  score(rollout, task) {
    if (rollout.answer === null) return { score: 0, detail: { answer: null } };
    const answer = normaliseAnswer(rollout.answer);
    const golds = task.private.answers.map(normaliseAnswer);
    return { score: golds.includes(answer) ? 1 : 0, detail: { answer, golds } };
  },
});
