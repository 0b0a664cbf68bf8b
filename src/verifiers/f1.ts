/** MAT's F1: the best overlap with a gold answer, 1 for an exact match, 0 without an answer. */
import { z } from "zod";
import { matScore } from "./matching/mat.ts";
import { settingOption } from "./setting.ts";
import { defineVerifier } from "./verifier.ts";

export const f1 = defineVerifier({
  name: "f1",
  options: z.strictObject({ setting: settingOption }),
  score({ answer }, task, _, { setting }) {
    const score = matScore(answer, task.private.answers, setting);
    return { score: score.f1, detail: { em: score.em } };
  },
});
