/**
 * How near the search of a step is to the expected query: the cosine of their embeddings, 0 below 0.5 and where an answer appears. Null
 * where the task expects no search. `reference`: a missing or multi-line tag is replaced by the whole completion.
 */
import { z } from "zod";
import { variantOption } from "./setting.ts";
import { holds, oneLineBody, referenceBody } from "./step/bodies.ts";
import { searchAccuracy } from "./step/ours.ts";
import { embeddingNeed, similarityOption } from "./step/similarity.ts";
import { defineVerifier } from "./verifier.ts";

export const searchSimilarity = defineVerifier({
  name: "search_similarity",
  options: z.strictObject({ variant: variantOption, similarity: similarityOption }),
  needs: ({ similarity }) => embeddingNeed(similarity),
  score(rollout, task, { embed }, { variant, similarity }) {
    const { expected } = task.private;
    if (expected?.type !== "search") return { score: null, detail: {} };
    const text = rollout.turns[0]?.text ?? "";
    if (text === "" || holds(text, "answer")) return { score: 0, detail: { query: null } };
    const query = variant === "reference" ? referenceBody(text, "search") : oneLineBody(text, "search");
    return searchAccuracy(query, expected.query, { similarity, embed });
  },
});
