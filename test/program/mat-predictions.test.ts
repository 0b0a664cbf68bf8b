/**
 * Golden: the published models' predictions must score as the paper says (arXiv 2505.14246), to the printed precision.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BENCHMARKS } from "../../src/evaluation/benchmarks.ts";
import { loadPredictions } from "../../src/evaluation/predictions.ts";
import { scorePredictions, type Aggregate, type BenchmarkScores } from "../../src/evaluation/score.ts";
import { has, sharedData } from "../support/requires.ts";

/** "F1/EM" in percent. */
const row = ({ f1, em }: Aggregate, decimals = 2): string =>
  `${(100 * f1).toFixed(decimals)}/${(100 * em).toFixed(decimals)}`;

async function scoresOf(file: string, benchmark: keyof typeof BENCHMARKS): Promise<BenchmarkScores> {
  const predictions = await loadPredictions(join(sharedData, "mat-predictions", file));
  return scorePredictions(predictions, BENCHMARKS[benchmark]);
}

const splitRows = ({ bySplit }: BenchmarkScores): [string, number, string][] =>
  [...bySplit].map(([split, scores]) => [split, scores.count, row(scores)]);

describe.skipIf(!has("shared data"))("published predictions", () => {
  it("7B on MAT-Coding, whose records have ids", async () => {
    const scores = await scoresOf("7b_mat_coding_grpo_step1400.json", "mat-coding");
    expect(row(scores.overall, 3)).toBe("50.675/34.500");
    expect(splitRows(scores)).toEqual([
      ["simple", 70, "60.10/51.43"],
      ["hard", 130, "45.60/25.38"],
    ]);
  });

  it("7B on MAT-Search, whose records have none, one with an empty gold answer", async () => {
    const scores = await scoresOf("7b_step200_mat_search_web_n4.json", "mat-search");
    expect(row(scores.overall)).toBe("63.77/55.33");
    expect(splitRows(scores)).toEqual([
      ["simple", 75, "71.78/66.67"],
      ["hard", 75, "55.77/44.00"],
    ]);
  });

  it.each([
    ["7b_step200_bamboogle_web_n4.json", "bamboogle", 125, "60.15/48.80"],
    ["3b_step200_bamboogle_web_n4.json", "bamboogle", 125, "49.01/38.40"],
    ["3b_step200_musique_web_n4.json", "musique", 2417, "19.10/11.58"],
  ] as const)("%s on %s", async (file, benchmark, count, expected) => {
    const { overall, bySplit } = await scoresOf(file, benchmark);
    expect([overall.count, row(overall), bySplit.size]).toEqual([count, expected, 0]);
  });
});
