/**
 * Rewards of one group -> advantages.
 */

/** Added to the standard deviation, as in TRL and the reference. */
const EPSILON = 1e-4;

/** `group`: divide by the group's standard deviation (GRPO); `none`: do not (Dr. GRPO). */
export type AdvantageScale = "group" | "none";

/**
 * A_i = (R_i - mean) / (std + 1e-4), std with Bessel's correction; a group of one, or of equal rewards, gives zeros.
 * Source: DeepSeekMath, arXiv 2402.03300; `none`: arXiv 2503.20783.
 *
 * @example groupAdvantages([1, 0], "none") // [0.5, -0.5]
 */
export function groupAdvantages(rewards: readonly number[], scale: AdvantageScale): number[] {
  const count = rewards.length;
  if (count < 2 || rewards.every((reward) => reward === rewards[0])) return rewards.map(() => 0);
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / count;
  if (scale === "none") return rewards.map((reward) => reward - mean);
  const variance = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / (count - 1);
  return rewards.map((reward) => (reward - mean) / (Math.sqrt(variance) + EPSILON));
}
