/** MAT's exact match: 1 when the normalised answer equals any normalised gold answer; 0 without an answer. */
import { z } from "zod";
import { matScore } from "./matching/mat.ts";
import { normaliseAnswer } from "./matching/normalise.ts";
import { settingOption } from "./setting.ts";
import { defineVerifier } from "./verifier.ts";

export const exactMatch = defineVerifier({
  name: "exact_match",
  options: z.strictObject({ setting: settingOption }),
  score({ answer }, task, _, { setting }) {
    const golds = task.private.answers;
    const { em } = matScore(answer, golds, setting);
    if (answer === null) return { score: em, detail: { answer } };
    const normalised = (text: string): string => normaliseAnswer(text, setting);
    return { score: em, detail: { answer: normalised(answer), golds: golds.map(normalised) } };
  },
});
