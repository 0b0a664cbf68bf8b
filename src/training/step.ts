/**
 * One GRPO step: live episodes in groups, scores, advantages, one update. Returns what happened as records; writes nothing.
 */
import { decodeFloat32 } from "../core/arrays.ts";
import { RECORD_VERSION, type ScoreRecord, type UpdateRecord } from "../core/records.ts";
import type { LoadedTask } from "../core/task.ts";
import type { EngineClient } from "../engine/client.ts";
import type { ForwardBackwardResult } from "../engine/wire.ts";
import { runGroups, type Episode, type EpisodeRequest } from "../episodes/episode.ts";
import { refuseMixedNulls, type WeightedVerifier } from "../verifiers/verifier.ts";
import { groupAdvantages } from "./advantages.ts";
import { rowsOf, type Row } from "./batch.ts";
import type { Recipe } from "./recipe/schema.ts";
import { learningRateAt } from "./schedule.ts";
import { scoreGroups } from "./score-groups.ts";
import { rewardStatistics } from "./statistics.ts";

export interface StepContext {
  recipe: Recipe;
  client: EngineClient;
  verifiers: readonly WeightedVerifier[];
  environment: EpisodeRequest["environment"];
  policy: EpisodeRequest["policy"];
  signal: AbortSignal;
}

export interface StepResult {
  episodes: Episode[];
  scores: ScoreRecord[];
  update: UpdateRecord;
}

export async function grpoStep(context: StepContext, step: number, tasks: readonly LoadedTask[]): Promise<StepResult> {
  const { recipe, signal } = context;
  const clock = stopwatch();
  const groups = await runGroups(tasks, recipe.training.groupSize, {
    environment: context.environment,
    policy: context.policy,
    sampling: recipe.sampling,
    runSeed: recipe.seed,
    step,
    purpose: "training",
    signal,
  });
  const rolloutSeconds = clock();
  const scored = await scoreGroups(context, tasks, groups);
  scored.forEach(refuseMixedNulls);
  const scoreSeconds = clock();

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
  const record: UpdateRecord = {
    version: RECORD_VERSION,
    kind: "update",
    step,
    learningRate,
    loss: updated.loss,
    gradNorm: optimised.gradNorm,
    clippedTokens: updated.clippedTokens,
    tokens: updated.tokens,
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
    seconds: { rollouts: rolloutSeconds, scores: scoreSeconds, update: clock() },
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
      microbatches: 0,
      clippedTokens: 0,
      rows: [],
      seconds: {},
    };
    return { updated, optimised: { gradNorm: 0, policyVersion }, learningRate };
  }
  // A step that failed half-way must not leave its gradients to the next one.
  await client.zeroGrad({ signal });
  const updated = await client.forwardBackward(
    {
      rows: rows.map((row) => row.wire),
      objective: { name: "grpo", clipLow: 0.2, clipHigh: 0.2 },
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

/** Seconds since the last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}
