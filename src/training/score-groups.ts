/**
 * Scores of groups of episodes, in their order; training and evaluation score alike.
 */
import type { ScoreRecord } from "../core/records.ts";
import type { LoadedTask } from "../core/task.ts";
import type { Episode } from "../episodes/episode.ts";
import { scoreRollout } from "../verifiers/score.ts";
import type { VerifierContext, WeightedVerifier } from "../verifiers/verifier.ts";

export interface Scoring {
  verifiers: readonly WeightedVerifier[];
  environment: Pick<VerifierContext, "images">;
}

/** `groups[g]` are the episodes of `tasks[g]`. */
export function scoreGroups(
  { verifiers, environment }: Scoring,
  tasks: readonly LoadedTask[],
  groups: readonly (readonly Episode[])[],
): Promise<ScoreRecord[][]> {
  return Promise.all(
    tasks.map(({ task }, g) =>
      Promise.all((groups[g] ?? []).map(({ record }) => scoreRollout(record, task, verifiers, environment))),
    ),
  );
}
