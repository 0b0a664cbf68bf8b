/**
 * Reward weights of a recipe -> verifiers. Throws `config.unknown_verifier`.
 */
import { ConfigError } from "../../core/errors.ts";
import { VERIFIERS } from "../../verifiers/index.ts";
import type { WeightedVerifier } from "../../verifiers/verifier.ts";

/** The metric of an evaluation must be scored; weight 0 scores without rewarding. */
export function refuseUnscoredMetric(metric: string, rewards: Record<string, number>): void {
  if (metric in rewards) return;
  throw new ConfigError("config.unscored_metric", `evaluation.metric: ${metric} is not among the rewards`, {
    hint: `Add \`${metric}: 0\` to rewards, or choose one of ${Object.keys(rewards).join(", ")}.`,
  });
}

export function buildVerifiers(rewards: Record<string, number>): WeightedVerifier[] {
  return Object.entries(rewards).map(([name, weight]) => {
    const verifier = VERIFIERS[name];
    if (verifier === undefined) {
      throw new ConfigError("config.unknown_verifier", `rewards.${name}: no verifier of that name`, {
        hint: `There are: ${Object.keys(VERIFIERS).join(", ")}.`,
      });
    }
    return { verifier, weight };
  });
}
