/**
 * One GRPO step: live episodes in groups, scores, advantages, one update. Returns what happened as records; writes nothing.
 */
import { decodeFloat32, decodeInt32 } from "../core/arrays.ts";
import { RECORD_VERSION, type ScoreRecord, type UpdateRecord } from "../core/records.ts";
import type { LoadedTask } from "../core/task.ts";
import type { EngineClient } from "../engine/client.ts";
import type { ForwardBackwardResult } from "../engine/wire.ts";
import { runGroups, type Episode, type EpisodeRequest } from "../episodes/episode.ts";
import { refuseMixedNulls } from "../verifiers/score.ts";
import type { WeightedVerifier } from "../verifiers/verifier.ts";
import { groupAdvantages } from "./advantages.ts";
import { rowsOf, type Row } from "./batch.ts";
import type { Recipe } from "./recipe/schema.ts";
import { learningRateAt } from "./schedule.ts";
import { scoreGroups } from "./score-groups.ts";
import { samplingSeconds, toolSeconds, type PhaseClock } from "./seconds.ts";
import { rewardStatistics } from "./statistics.ts";

/** What a step is doing, for whoever watches. */
export type Phase = "tasks" | "rollouts" | "scores" | "update" | "records" | "evaluation" | "checkpoint";

export interface StepContext {
  recipe: Recipe;
  client: EngineClient;
  verifiers: readonly WeightedVerifier[];
  environment: EpisodeRequest["environment"];
  policy: EpisodeRequest["policy"];
  onPhase: (step: number, phase: Phase) => void;
  /** Episodes of the present phase that have ended. */
  onEpisode: (done: number, total: number) => void;
  signal: AbortSignal;
}

export interface StepResult {
  episodes: Episode[];
  scores: ScoreRecord[];
  update: UpdateRecord;
}

/** `clock` has timed what came before and goes on; `update.seconds` holds its phases so far. */
export async function grpoStep(
  context: StepContext,
  step: number,
  tasks: readonly LoadedTask[],
  clock: PhaseClock,
): Promise<StepResult> {
  const { recipe, signal } = context;
  context.onPhase(step, "rollouts");
  const site = { runSeed: recipe.seed, step, purpose: "training", signal } as const;
  const { environment, policy, onEpisode } = context;
  const request = { environment, policy, sampling: recipe.sampling, ...site };
  const groups = await runGroups(tasks, recipe.training.groupSize, request, onEpisode);
  clock.end("rollouts");
  context.onPhase(step, "scores");
  const scored = await scoreGroups(context, tasks, groups);
  scored.forEach(refuseMixedNulls);
  clock.end("scores");

  context.onPhase(step, "update");
  const advantages = scored.flatMap((group) =>
    groupAdvantages(
      group.map((score) => score.reward),
      recipe.training.advantageScale,
    ),
  );
  const episodes = groups.flat();
  const rows = rowsOf(episodes, advantages, recipe.training.aggregation);
  const { updated, optimised, learningRate } = await update(context, step, rows);
  const scores = scored.flat();
  clock.end("update");
  const record: UpdateRecord = {
    version: RECORD_VERSION,
    kind: "update",
    step,
    learningRate,
    loss: updated.loss,
    gradNorm: optimised.gradNorm,
    clippedTokens: updated.clippedTokens,
    tokens: updated.tokens,
    forwarded: { sampling: sampledTokens(episodes), update: updated.forwardedTokens },
    policyVersion: optimised.policyVersion,
    mismatch: mismatchOf(rows, updated),
    ...rewardStatistics(scores),
    silentGroups: scored.filter((group) => group.every((score) => score.reward === group[0]?.reward)).length,
    groups: scored.length,
    rows: rows.map(({ rolloutId, turn, advantage }, index) => ({
      rolloutId,
      turn,
      advantage,
      logprobs: updated.rows[index]?.logprobs ?? "",
    })),
    seconds: {
      ...clock.phases,
      engine: samplingSeconds(episodes) + total(updated.seconds) + total(optimised.seconds),
      tools: toolSeconds(episodes),
    },
  };
  return { episodes, scores, update: record };
}

/** One update of the policy; a batch in which no group has a signal leaves it as it is. */
async function update({ recipe, client, signal }: StepContext, step: number, rows: readonly Row[]) {
  const { training, engine } = recipe;
  const learningRate = learningRateAt(training, step, training.steps);
  if (rows.length === 0) {
    const { policyVersion } = await client.info({ signal });
    const updated: ForwardBackwardResult = {
      loss: 0,
      tokens: 0,
      forwardedTokens: 0,
      microbatches: 0,
      clippedTokens: 0,
      correctedTokens: 0,
      kl: null,
      rows: [],
      seconds: {},
    };
    return { updated, optimised: { gradNorm: 0, policyVersion, seconds: {} }, learningRate };
  }
  // A step that failed half-way must not leave its gradients to the next one.
  await client.zeroGrad({ signal });
  const updated = await client.forwardBackward(
    {
      rows: rows.map((row) => row.wire),
      objective: {
        name: "policy_gradient",
        ratio: "token",
        surrogate: "clipped-ratio",
        clipLow: null,
        clipHigh: null,
        dualClip: null,
        weightCap: null,
        kl: null,
        importance: null,
      },
      temperature: recipe.sampling.temperature,
      pixels: engine.pixels,
      maxTokensPerMicrobatch: engine.maxTokensPerMicrobatch,
    },
    { signal },
  );
  const { betas, eps, weightDecay, maxGradNorm } = training;
  const optimised = await client.optimStep({ learningRate, betas, eps, weightDecay, maxGradNorm }, { signal });
  return { updated, optimised, learningRate };
}

/** Each distinct prompt of a turn is prefilled once; then every sampled token is forwarded. */
function sampledTokens(episodes: readonly Episode[]): number {
  const prefilled = new Set<string>();
  let sum = 0;
  for (const { record, shown } of episodes) {
    record.turns.forEach(({ tokenIds, promptDigest }, turn) => {
      sum += decodeInt32(tokenIds ?? "").length;
      const prefill = `${turn} ${promptDigest}`;
      if (!prefilled.has(prefill)) sum += shown[turn]?.prompt?.length ?? 0;
      prefilled.add(prefill);
    });
  }
  return sum;
}

function mismatchOf(rows: readonly Row[], result: ForwardBackwardResult): { mean: number; max: number } {
  let sum = 0;
  let max = 0;
  let count = 0;
  rows.forEach((row, index) => {
    const sampler = decodeFloat32(row.sampledLogprobs);
    const trainer = decodeFloat32(result.rows[index]?.logprobs ?? "");
    sampler.forEach((value, t) => {
      const gap = Math.abs(value - (trainer[t] ?? Number.NaN));
      sum += gap;
      max = Math.max(max, gap);
      count++;
    });
  });
  return { mean: count === 0 ? 0 : sum / count, max };
}

function total(seconds: Record<string, number>): number {
  return Object.values(seconds).reduce((sum, value) => sum + value, 0);
}
