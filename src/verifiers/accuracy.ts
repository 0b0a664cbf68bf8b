/**
 * How right one step is, where its task expects an action (step mode, arXiv 2505.14246): answer, search query, problems or code, each by
 * its own rule (`step/`). Null for tasks without an expected action. Of an episode of several turns, the first counts.
 */
import { z } from "zod";
import { ConfigError } from "../core/errors.ts";
import { settingOption, variantOption } from "./setting.ts";
import { ourAccuracy } from "./step/ours.ts";
import { referenceAccuracy } from "./step/reference.ts";
import { embeddingNeed, similarityOption } from "./step/similarity.ts";
import { defineVerifier } from "./verifier.ts";

export const accuracy = defineVerifier({
  name: "accuracy",
  options: z.strictObject({
    variant: variantOption,
    setting: settingOption,
    /** Needed where a search is expected. */
    similarity: similarityOption.nullable().default(null),
  }),
  needs: ({ similarity }) => embeddingNeed(similarity),
  async score(rollout, task, { embed }, { variant, setting, similarity }) {
    const { expected } = task.private;
    if (expected === undefined) return { score: null, detail: {} };
    if (expected.type === "search" && similarity === null) {
      throw new ConfigError("config.no_similarity", `verifier accuracy: task ${task.id} expects a search`, {
        hint: "Set rewards.accuracy.similarity to {model: FOLDER or hub id of all-MiniLM-L6-v2}, or to lexical.",
      });
    }
    const turn = rollout.turns[0];
    if (turn === undefined) return { score: 0, detail: { expected: expected.type } };
    const rules = { setting, similarity, embed };
    return variant === "reference"
      ? referenceAccuracy(turn.text, expected, rules)
      : ourAccuracy(turn, task, expected, rules);
  },
});
