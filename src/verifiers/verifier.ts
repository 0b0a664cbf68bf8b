/**
 * Verifiers: rules that score a finished rollout in [0, 1]. They receive interfaces, start nothing, run no code.
 */
import { ConfigError } from "../core/errors.ts";
import type { ImageStore } from "../core/images.ts";
import { RECORD_VERSION, type RolloutRecord, type ScoreRecord } from "../core/records.ts";
import type { Task } from "../core/task.ts";

export interface Score {
  /** In [0, 1]; null when the verifier does not apply to this task. Null may depend on the task alone, never on the completion. */
  score: number | null;
  detail: Record<string, unknown>;
}

/** What a verifier may ask for. */
export interface VerifierContext {
  /** Every image that the rollout or its task names. */
  images: ImageStore;
}

export interface Verifier {
  name: string;
  score(rollout: RolloutRecord, task: Task, context: VerifierContext): Score | Promise<Score>;
}

/**
 * Declares a verifier.
 *
 * @example
 * const short = defineVerifier({ name: "short", score: (rollout) => ({ score: rollout.turns.length <= 2 ? 1 : 0, detail: {} }) });
 */
export function defineVerifier(verifier: Verifier): Verifier {
  return verifier;
}

export interface WeightedVerifier {
  verifier: Verifier;
  weight: number;
}

/**
 * R = sum over verifiers of weight x score, nulls left out.
 * Throws `config.verifier` naming the verifier when it throws, returns NaN or leaves [0, 1].
 */
export async function scoreRollout(
  rollout: RolloutRecord,
  task: Task,
  verifiers: readonly WeightedVerifier[],
  context: VerifierContext,
): Promise<ScoreRecord> {
  const parts = await Promise.all(
    verifiers.map(async ({ verifier, weight }) => {
      const { score, detail } = await guarded(verifier, rollout, task, context);
      return { verifier: verifier.name, weight, score, detail };
    }),
  );
  const reward = parts.reduce((sum, part) => sum + part.weight * (part.score ?? 0), 0);
  return { version: RECORD_VERSION, kind: "score", rolloutId: rollout.id, reward, parts };
}

async function guarded(
  verifier: Verifier,
  rollout: RolloutRecord,
  task: Task,
  context: VerifierContext,
): Promise<Score> {
  const refuse = (what: string, cause?: unknown): never => {
    throw new ConfigError("config.verifier", `verifier ${verifier.name}, rollout ${rollout.id}: ${what}`, {
      hint: "A verifier returns {score: number in [0, 1] or null, detail}.",
      cause,
    });
  };
  try {
    const result = await verifier.score(rollout, task, context);
    const { score } = result;
    // Written so that NaN is refused too.
    if (score === null || (score >= 0 && score <= 1)) return result;
    return refuse(`score ${score} is outside [0, 1]`);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    return refuse(`threw ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

/** A null in one rollout of a group and a number in another would reward leaving a term out. Throws `config.mixed_null`. */
export function refuseMixedNulls(group: readonly ScoreRecord[]): void {
  const first = group[0];
  for (const record of group) {
    record.parts.forEach((part, index) => {
      const other = first?.parts[index];
      if (other !== undefined && (part.score === null) !== (other.score === null)) {
        throw new ConfigError(
          "config.mixed_null",
          `verifier ${part.verifier}: null for one rollout of a group and a number for another (${first?.rolloutId}: ${other.score}, ${record.rolloutId}: ${part.score})`,
          { hint: "Null may depend on the task alone; return 0 where the completion is at fault." },
        );
      }
    });
  }
}
