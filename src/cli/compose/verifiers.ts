/**
 * Reward weights of a recipe -> verifiers. Throws `config.unknown_verifier`.
 */
import { ConfigError } from "../../core/errors.ts";
import { VERIFIERS } from "../../verifiers/index.ts";
import type { WeightedVerifier } from "../../verifiers/verifier.ts";

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
