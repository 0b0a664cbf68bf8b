/**
 * Statistics of a step's scores.
 */
import type { ScoreRecord, UpdateRecord } from "../core/records.ts";

/** Mean score by verifier over the rollouts that it applies to; null where there are none. */
export function meanScores(scores: readonly ScoreRecord[]): Record<string, number | null> {
  const names = scores[0]?.parts.map((part) => part.verifier) ?? [];
  return Object.fromEntries(
    names.map((name, index) => {
      const values = scores.flatMap((score) => score.parts[index]?.score ?? []);
      return [name, values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length];
    }),
  );
}

/** Mean and standard deviation (Bessel's) of the rewards of a step, and the mean of each part. */
export function rewardStatistics(
  scores: readonly ScoreRecord[],
): Pick<UpdateRecord, "rewardMean" | "rewardStd" | "rewardParts"> {
  const rewards = scores.map((score) => score.reward);
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / Math.max(1, rewards.length);
  const variance = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / Math.max(1, rewards.length - 1);
  return { rewardMean: mean, rewardStd: Math.sqrt(variance), rewardParts: meanScores(scores) };
}
