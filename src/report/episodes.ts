/**
 * Which episodes are shown: a rule, not a taste.
 */
import type { FinalEvaluations, Outcome } from "./evaluations.ts";

/** Right episodes shown of each kind. */
const RIGHT = 2;

/** An episode after training, beside what the same task got before. */
export interface ShownEpisode {
  kind: string;
  after: Outcome;
  before: Outcome;
  /** Accepted answers, normalised; empty where no policy gave an answer to compare. */
  golds: readonly string[];
}

/** Of each kind, in task order: the first two right ones and the first wrong one. */
export function shownEpisodes({ after, before, withoutTools, supervised }: FinalEvaluations): ShownEpisode[] {
  const episodes = after.outcomes.map((outcome, index): ShownEpisode => {
    const earlier = before.outcomes[index]!;
    const others = [earlier, withoutTools.outcomes[index], supervised?.outcomes[index]];
    return {
      kind: outcome.rollout.taskKind,
      after: outcome,
      before: earlier,
      golds: [outcome, ...others].find((one) => one?.golds)?.golds ?? [],
    };
  });
  const kinds = [...new Set(episodes.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const ofKind = episodes.filter((episode) => episode.kind === kind);
    const right = ofKind.filter(({ after }) => after.em === 1).slice(0, RIGHT);
    const wrong = ofKind.filter(({ after }) => after.em !== 1).slice(0, 1);
    return [...right, ...wrong];
  });
}

/** sha256 of every image that an episode shows. */
export function imagesOf({ after: { rollout } }: ShownEpisode): string[] {
  return [...rollout.task.images, ...rollout.turns.flatMap(({ toolRuns }) => toolRuns.flatMap(({ images }) => images))];
}
