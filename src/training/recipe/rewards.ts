/**
 * The `rewards` of a recipe: what counts, and how much.
 */
import { z } from "zod";

/** `name: weight`, or `name: {weight, option: value}`; the verifier checks its own options. */
export const rewardsSchema = z
  .record(
    z.string(),
    z.union([z.number(), z.looseObject({ weight: z.number() })], {
      error: "expected a weight, or {weight: NUMBER, option: value}",
    }),
  )
  .refine((rewards) => Object.keys(rewards).length > 0, "expected at least one verifier");
export type Rewards = z.infer<typeof rewardsSchema>;

/** Weight by verifier. */
export function rewardWeights(rewards: Rewards): Record<string, number> {
  return Object.fromEntries(
    Object.entries(rewards).map(([name, entry]) => [name, typeof entry === "number" ? entry : entry.weight]),
  );
}
