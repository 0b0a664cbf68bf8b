/**
 * Supervised training: cross-entropy on the turns of demonstrated episodes.
 */
import { encodeFloat32 } from "../core/arrays.ts";
import type { Pixels } from "../core/completion.ts";
import { SeededStream } from "../core/seeds.ts";
import type { EngineClient } from "../engine/client.ts";
import type { Episode } from "../episodes/episode.ts";
import { learningRateAt } from "./schedule.ts";

export interface SupervisedOptions {
  client: EngineClient;
  episodes: readonly Episode[];
  steps: number;
  rowsPerStep: number;
  learningRate: number;
  seed: number;
  pixels: Pixels;
  maxTokensPerMicrobatch: number;
  onStep(step: number, loss: number): void;
  signal: AbortSignal;
}

/** loss = 1/rows sum_rows 1/100 sum_t -logp_t: a fixed scale, since only the worker knows a demonstration's token count. */
const TOKEN_SCALE = 1 / 100;

/** Share of the learning rate that is left at the last step; linear decay. */
const FINAL_FRACTION = 0.1;

/** Trains for `steps` steps on rows drawn with replacement from all turns of all episodes. */
export async function trainSupervised(options: SupervisedOptions): Promise<void> {
  const { client, episodes, steps, rowsPerStep, learningRate, seed, pixels, maxTokensPerMicrobatch } = options;
  const demonstrations = episodes.flatMap(({ record, shown }) =>
    record.turns.map((turn, t) => ({ messages: shown[t]?.messages ?? [], text: turn.text })),
  );
  const stream = new SeededStream("supervised", seed);
  const schedule = { learningRate, warmupSteps: 0, finalFraction: FINAL_FRACTION };
  const advantages = encodeFloat32([TOKEN_SCALE / rowsPerStep]);
  for (let step = 1; step <= steps; step++) {
    options.signal.throwIfAborted();
    const rows = Array.from({ length: rowsPerStep }, () => {
      const { messages, text } = demonstrations[stream.integer(0, demonstrations.length - 1)] ?? {
        messages: [],
        text: "",
      };
      return { messages, prompt: null, tokenIds: null, text, advantages, oldLogprobs: null };
    });
    const objective = { name: "cross_entropy" as const };
    const result = await client.forwardBackward({ rows, objective, temperature: 1, pixels, maxTokensPerMicrobatch });
    await client.optimStep({
      learningRate: learningRateAt(schedule, step, steps),
      betas: [0.9, 0.95],
      eps: 1e-8,
      weightDecay: 0.01,
      maxGradNorm: 1,
    });
    options.onStep(step, result.loss / (result.tokens * (TOKEN_SCALE / rowsPerStep)));
  }
}
