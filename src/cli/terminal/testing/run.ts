/**
 * A made-up training run for tests of what a person sees.
 */
import {
  RECORD_VERSION,
  type EvaluationRecord,
  type RolloutRecord,
  type ScoreRecord,
  type Turn,
} from "../../../core/records.ts";
import type { StepResult } from "../../../training/step.ts";
import type { RunFacts } from "../training-state.ts";

const INPUT = "a".repeat(64);
const OUTPUT = "b".repeat(64);

export const facts: RunFacts = {
  recipe: "quickstart",
  model: "Qwen2_5_VL",
  parameters: 1_730_000,
  device: "cpu",
  dtype: "float32",
  sandboxTier: "namespaces",
  steps: 36,
  rewards: { exact_match: 1, format: 0.5 },
  metric: "exact_match",
  pathOf: (sha256) => `/runs/q/images/${sha256}.png`,
};

function turn(action: Turn["step"]["actions"][number], thought: string, toolRuns: Turn["toolRuns"] = []): Turn {
  return {
    promptDigest: null,
    text: "",
    tokenIds: null,
    logprobs: null,
    stopReason: "stop",
    noiseKey: null,
    policyVersion: null,
    step: { thought, actions: [action], faults: [] },
    toolRuns,
    seconds: {},
  };
}

export interface RolloutSketch {
  id: string;
  kind: string;
  question?: string;
  /** Source of a code turn; none without. */
  code?: string;
  thought?: string;
  toolText?: string;
  toolOk?: boolean;
  answer?: string | null;
}

export function rollout(sketch: RolloutSketch): RolloutRecord {
  const { id, kind, code, thought = "It is turned.", toolText = null, toolOk = true, answer = "482" } = sketch;
  const run: Turn["toolRuns"][number] = {
    tool: "code",
    input: code,
    status: toolOk ? "ok" : "failed",
    text: toolText,
    images: toolOk ? [OUTPUT] : [],
    replacesImage: toolOk,
    detail: {},
    seconds: 0.03,
  };
  return {
    version: RECORD_VERSION,
    kind: "rollout",
    id,
    step: 1,
    purpose: "training",
    taskId: id,
    taskKind: kind,
    rollout: 0,
    task: { question: sketch.question ?? "What number is in the image?", images: [INPUT] },
    turns: [
      turn({ type: "problem", problems: [kind] }, thought),
      ...(code === undefined ? [] : [turn({ type: "code", source: code }, "Repair it.", [run])]),
      ...(answer === null ? [] : [turn({ type: "answer", text: answer }, "Now it reads well.")]),
    ],
    stop: answer === null ? "malformed" : "answered",
    answer,
    nondeterminism: [],
  };
}

export function score(rolloutId: string, exact: number | null): ScoreRecord {
  const part = (verifier: string, weight: number, value: number | null) => ({
    verifier,
    weight,
    score: value,
    detail: {},
  });
  return {
    version: RECORD_VERSION,
    kind: "score",
    rolloutId,
    reward: (exact ?? 0) + 0.5,
    parts: [part("exact_match", 1, exact), part("format", 0.5, 1)],
  };
}

/** A step with these rollouts; each is right when its answer is `482`. */
export function stepOf(step: number, sketches: readonly RolloutSketch[], seconds: Record<string, number>): StepResult {
  const records = sketches.map(rollout);
  const scores = records.map(({ id, answer }) => score(id, answer === "482" ? 1 : 0));
  const exact = scores.reduce((sum, { reward }) => sum + reward - 0.5, 0) / scores.length;
  return {
    episodes: records.map((record) => ({ record, shown: [] })),
    scores,
    update: {
      version: RECORD_VERSION,
      kind: "update",
      step,
      learningRate: 1e-4,
      loss: 0.1,
      gradNorm: 0.82,
      clippedTokens: 0,
      tokens: 100,
      forwarded: { sampling: { tokens: 0, patches: 0 }, update: { tokens: 0, patches: 0 } },
      policyVersion: step,
      mismatch: { mean: 2e-7, max: 3e-6 },
      rewardMean: exact + 0.5,
      rewardStd: 0.2,
      rewardParts: { exact_match: exact, format: 1 },
      silentGroups: 3,
      groups: 21,
      rows: [],
      seconds,
    },
  };
}

export function evaluationOf(step: number, byKind: Record<string, number>): EvaluationRecord {
  const values = Object.values(byKind);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    version: RECORD_VERSION,
    kind: "evaluation",
    step,
    split: "validation",
    count: 512,
    scores: { exact_match: mean, format: 1 },
    byKind: Object.fromEntries(
      Object.entries(byKind).map(([kind, value]) => [kind, { count: 64, scores: { exact_match: value, format: 1 } }]),
    ),
    seconds: { total: 4 },
  };
}
