/**
 * MAT's exact match and F1, as the benchmark's published figures were computed.
 */
import { holdsChinese, normaliseAnswer, type MatVariant } from "./normalise.ts";

export interface MatScore {
  /** 1 when the normalised prediction equals a normalised gold answer, else 0. */
  em: 0 | 1;
  /** In [0, 1]. */
  f1: number;
}

/**
 * The best EM and the best F1 over the gold answers; 0 and 0 for a null prediction.
 *
 * F1 = 2 P R / (P + R), P = |set(p) ∩ set(g)| / |p|, R = |set(p) ∩ set(g)| / |g|: duplicates are counted in both lengths and never
 * in the overlap. Tokens are words; coding, when either side holds Chinese: characters (code points). EM = 1 sets F1 = 1, so that
 * a prediction and a gold answer that both normalise to nothing ("A") match.
 *
 * @example
 * matScore("the red car", ["red cars", "blue car"], "search") // {em: 0, f1: 0.5}
 */
export function matScore(prediction: string | null, golds: readonly string[], variant: MatVariant): MatScore {
  if (prediction === null) return { em: 0, f1: 0 };
  const predicted = normaliseAnswer(prediction, variant);
  const best: MatScore = { em: 0, f1: 0 };
  for (const gold of new Set(golds.map((text) => normaliseAnswer(text, variant)))) {
    if (gold === predicted) return { em: 1, f1: 1 };
    best.f1 = Math.max(best.f1, overlapF1(predicted, gold, variant));
  }
  return best;
}

function overlapF1(predicted: string, gold: string, variant: MatVariant): number {
  const byCharacter = variant === "coding" && (holdsChinese(predicted) || holdsChinese(gold));
  const tokensOf = (text: string): string[] =>
    byCharacter ? [...text] : text.split(" ").filter((word) => word !== "");
  const predictedTokens = tokensOf(predicted);
  const goldTokens = tokensOf(gold);
  const goldSet = new Set(goldTokens);
  const overlap = new Set(predictedTokens.filter((token) => goldSet.has(token))).size;
  if (overlap === 0) return 0;
  // 2 P R / (P + R) with both fractions multiplied out.
  return (2 * overlap) / (predictedTokens.length + goldTokens.length);
}
