/**
 * Rollouts of a step -> rows for the engine: one row per sampled turn, its advantage weighted and normalised over the global batch,
 * so that however the worker splits the batch, it only sums.
 */
import { decodeInt32, encodeFloat32 } from "../core/arrays.ts";
import type { Episode } from "../episodes/episode.ts";
import type { ForwardBackwardRequest } from "../engine/wire.ts";

/**
 * How token losses become one number. i = an episode, T_i = its sampled tokens over all turns, N = episodes, all groups.
 * `sequence-mean` = 1/N sum_i 1/T_i sum_t (GRPO) · `token-mean` = sum / sum_i T_i (DAPO) · `sum` = 1/N sum_i sum_t.
 */
export type Aggregation = "sequence-mean" | "token-mean" | "sum";

export interface Row {
  rolloutId: string;
  turn: number;
  /** The episode's advantage, before aggregation. */
  advantage: number;
  /** Log-probabilities [T] as the sampler reported them, base64 float32. */
  sampledLogprobs: string;
  wire: ForwardBackwardRequest["rows"][number];
}

/** Rows of all episodes whose advantage is not 0: a zero advantage gives no gradient, and its tokens still count in the normaliser. */
export function rowsOf(episodes: readonly Episode[], advantages: readonly number[], aggregation: Aggregation): Row[] {
  const lengths = episodes.map(({ record }) =>
    record.turns.reduce((sum, turn) => sum + decodeInt32(turn.tokenIds ?? "").length, 0),
  );
  const allTokens = lengths.reduce((sum, length) => sum + length, 0);
  return episodes.flatMap(({ record, shown }, i) => {
    const advantage = advantages[i] ?? 0;
    if (advantage === 0) return [];
    const weight = {
      "sequence-mean": 1 / (episodes.length * (lengths[i] ?? 1)),
      "token-mean": 1 / allTokens,
      sum: 1 / episodes.length,
    }[aggregation];
    return record.turns.flatMap((turn, t): Row[] => {
      const { messages, prompt } = shown[t] ?? { messages: [], prompt: null };
      if (prompt === null || turn.tokenIds === null || turn.logprobs === null) return [];
      const tokens = decodeInt32(turn.tokenIds).length;
      return [
        {
          rolloutId: record.id,
          turn: t,
          advantage,
          sampledLogprobs: turn.logprobs,
          wire: {
            messages,
            prompt: { digest: prompt.digest, ids: prompt.ids, images: prompt.images },
            tokenIds: turn.tokenIds,
            text: null,
            advantages: encodeFloat32(new Float32Array(tokens).fill(advantage * weight)),
            oldLogprobs: null,
          },
        },
      ];
    });
  });
}
