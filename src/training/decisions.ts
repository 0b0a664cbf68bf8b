/**
 * What a policy knows of a decision: the probability that it gives to the right candidates, before any reward has been seen.
 * What is right with a probability near 0 is hardly ever sampled, so reward cannot find it.
 */
import { decodeFloat32 } from "../core/arrays.ts";
import type { Pixels } from "../core/completion.ts";
import type { Message } from "../core/messages.ts";
import type { EngineClient } from "../engine/client.ts";

/** One decision of one task: whole steps that differ in it alone. */
export interface DecisionProbe {
  /** For example `problem` or `quadrant`. */
  decision: string;
  /** The task's kind. */
  kind: string;
  messages: Message[];
  candidates: { text: string; right: boolean }[];
}

export interface DecisionProbability {
  decision: string;
  kind: string;
  /** Mean over probes of the summed probability of the right candidates' texts. */
  right: number;
  /** Share of right candidates: what choosing blindly would give. */
  chance: number;
  /** Probes. */
  count: number;
}

export interface DecisionOptions {
  client: EngineClient;
  temperature: number;
  pixels: Pixels;
  signal: AbortSignal;
}

/** p(candidate) = exp(sum_t logp_t) of its text. Rows in order of first appearance of (decision, kind). */
export async function decisionProbabilities(
  probes: readonly DecisionProbe[],
  { client, temperature, pixels, signal }: DecisionOptions,
): Promise<DecisionProbability[]> {
  const rows = probes.flatMap(({ messages, candidates }) =>
    candidates.map(({ text }) => ({ messages, prompt: null, tokenIds: null, text })),
  );
  const scored = await client.logprobs({ rows, temperature, pixels, policy: "current" }, { signal });
  const probabilities = scored.rows.map(({ logprobs }) =>
    Math.exp(decodeFloat32(logprobs).reduce((sum, value) => sum + value, 0)),
  );
  const found = new Map<string, DecisionProbability>();
  let next = 0;
  for (const { decision, kind, candidates } of probes) {
    const key = JSON.stringify([decision, kind]);
    const sum = found.get(key) ?? { decision, kind, right: 0, chance: 0, count: 0 };
    for (const { right } of candidates) {
      if (right) sum.right += probabilities[next] ?? 0;
      next++;
    }
    sum.chance += candidates.filter(({ right }) => right).length / candidates.length;
    sum.count++;
    found.set(key, sum);
  }
  return [...found.values()].map((sum) => ({ ...sum, right: sum.right / sum.count, chance: sum.chance / sum.count }));
}
