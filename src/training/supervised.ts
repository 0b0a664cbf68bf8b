/**
 * Supervised training: cross-entropy on demonstrated turns. The loop only; where rows come from and what is kept is the caller's.
 */
import { encodeFloat32 } from "../core/arrays.ts";
import type { Forwarded, Pixels } from "../core/completion.ts";
import type { Message } from "../core/messages.ts";
import type { EngineClient } from "../engine/client.ts";

/** One turn to imitate: what the policy is shown, and what it should say. */
export interface DemonstratedTurn {
  messages: Message[];
  text: string;
}

export interface SupervisedResult {
  step: number;
  learningRate: number;
  /** Mean over tokens, nats. */
  loss: number;
  tokens: number;
  /** What went through the network. */
  forwarded: Forwarded;
  gradNorm: number;
  policyVersion: number;
}

export interface SupervisedOptions {
  client: EngineClient;
  /** 1 for a fresh run. */
  firstStep: number;
  steps: number;
  /** A function of the step alone. Called for some steps ahead, so that rows are ready when the worker is. */
  rowsOf(step: number): Promise<readonly DemonstratedTurn[]>;
  learningRateOf(step: number): number;
  pixels: Pixels;
  maxTokensPerMicrobatch: number;
  /** False: enough, whatever `steps` says. */
  onStep(result: SupervisedResult): boolean | Promise<boolean>;
  signal: AbortSignal;
}

/** loss = 1/rows sum_rows 1/100 sum_t -logp_t: a fixed scale, since only the worker knows a demonstration's token count. */
const TOKEN_SCALE = 1 / 100;

/** Steps whose rows are made while the worker computes. */
const STEPS_AHEAD = 4;

/** Trains steps `firstStep` to `steps`. */
export async function trainSupervised(options: SupervisedOptions): Promise<void> {
  const { client, firstStep, steps, pixels, maxTokensPerMicrobatch, signal } = options;
  const ahead = new Map<number, Promise<readonly DemonstratedTurn[]>>();
  const prepare = (step: number): void => {
    if (step > steps || ahead.has(step)) return;
    const rows = options.rowsOf(step);
    // A failure is thrown where the step is reached; until then nobody waits for it.
    rows.catch(() => undefined);
    ahead.set(step, rows);
  };
  for (let step = firstStep; step <= steps; step++) {
    signal.throwIfAborted();
    for (let next = step; next <= step + STEPS_AHEAD; next++) prepare(next);
    const turns = (await ahead.get(step)) ?? [];
    ahead.delete(step);
    const advantages = encodeFloat32([TOKEN_SCALE / turns.length]);
    const updated = await client.forwardBackward({
      rows: turns.map((turn) => ({ ...turn, prompt: null, tokenIds: null, advantages, oldLogprobs: null })),
      objective: { name: "cross_entropy" },
      temperature: 1,
      pixels,
      maxTokensPerMicrobatch,
    });
    const learningRate = options.learningRateOf(step);
    const { gradNorm, policyVersion } = await client.optimStep({
      learningRate,
      betas: [0.9, 0.95],
      eps: 1e-8,
      weightDecay: 0.01,
      maxGradNorm: 1,
    });
    const loss = updated.loss / (updated.tokens * (TOKEN_SCALE / turns.length));
    const goOn = await options.onStep({
      step,
      learningRate,
      loss,
      tokens: updated.tokens,
      forwarded: updated.forwarded,
      gradNorm,
      policyVersion,
    });
    if (!goOn) return;
  }
}
