/**
 * How near two search queries are, in [0, 1]: the cosine of their sentence embeddings, or, where a recipe says so by name, of their words.
 */
import { z } from "zod";
import { normaliseAnswer } from "../matching/normalise.ts";
import type { Embed, EmbeddingNeed } from "../verifier.ts";

/** Below this cosine a query counts as another one (arXiv 2505.14246). */
export const LEAST_SIMILARITY = 0.5;

/** `lexical`, or the sentence encoder. There is no default: which of the two was used decides what a reward means. */
export const similarityOption = z.union([z.literal("lexical"), z.strictObject({ model: z.string().min(1) })], {
  error: 'expected {model: FOLDER or hub id} or "lexical"',
});
export type SimilarityOption = z.infer<typeof similarityOption>;

export interface Similarity {
  /** Cosine, in [-1, 1]. */
  cosine: number;
  /** The encoder's name, or `lexical`. */
  by: string;
}

export function embeddingNeed(option: SimilarityOption | null): { embedding?: EmbeddingNeed } {
  return option === null || option === "lexical" ? {} : { embedding: option };
}

export async function similarityOf(a: string, b: string, option: SimilarityOption, embed: Embed): Promise<Similarity> {
  if (option === "lexical") return { cosine: wordCosine(a, b), by: "lexical" };
  const [x, y] = await embed([a, b]);
  return { cosine: cosine(x ?? new Float32Array(), y ?? new Float32Array()), by: option.model };
}

/** 0 below the threshold, else the cosine, at most 1 (rounding may leave it a little above). */
export function similarityScore({ cosine }: Similarity): number {
  return cosine < LEAST_SIMILARITY ? 0 : Math.min(1, cosine);
}

/** Dot product of unit vectors. */
function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Cosine of the sets of words: |A ∩ B| / sqrt(|A| |B|); 0 when a side has none. */
export function wordCosine(a: string, b: string): number {
  const [x, y] = [wordsOf(a), wordsOf(b)];
  if (x.size === 0 || y.size === 0) return 0;
  const shared = [...x].filter((word) => y.has(word)).length;
  return shared / Math.sqrt(x.size * y.size);
}

function wordsOf(text: string): Set<string> {
  return new Set(
    normaliseAnswer(text, "search")
      .split(" ")
      .filter((word) => word !== ""),
  );
}
