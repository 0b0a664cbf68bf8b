/**
 * SQuAD's F1 (Rajpurkar et al. 2016, arXiv 1606.05250; empty answers as in the version 2.0 script), for comparison with other work.
 */
import { normaliseAnswer } from "./normalise.ts";

/**
 * The best F1 over the gold answers; 0 for a null prediction. Words, in every language.
 *
 * F1 = 2 overlap / (|p| + |g|), overlap of multisets: a word counts as often as both sides have it. Two empty answers match.
 *
 * @example
 * squadF1("new new york", ["new york city"]) // 2 * 2 / (3 + 3)
 */
export function squadF1(prediction: string | null, golds: readonly string[]): number {
  if (prediction === null) return 0;
  const predicted = wordsOf(prediction);
  return golds.reduce((best, gold) => Math.max(best, multisetF1(predicted, wordsOf(gold))), 0);
}

function wordsOf(text: string): string[] {
  return normaliseAnswer(text, "search")
    .split(" ")
    .filter((word) => word !== "");
}

function multisetF1(predicted: readonly string[], gold: readonly string[]): number {
  if (predicted.length === 0 || gold.length === 0) return predicted.length === gold.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of gold) left.set(word, (left.get(word) ?? 0) + 1);
  let overlap = 0;
  for (const word of predicted) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    overlap++;
  }
  return (2 * overlap) / (predicted.length + gold.length);
}
