/**
 * Episodes that are told what to say: recorded transcripts, and demonstrations.
 */
import type { LoadedTask } from "../core/task.ts";
import type { Environment } from "../environment/environment.ts";
import { scriptedPolicy } from "../policies/scripted.ts";
import { startEpisode, type Episode } from "./episode.ts";

/** Nothing is sampled, so any setting will do. */
const NO_SAMPLING = { temperature: 1, topP: 1, topK: 0, repetitionPenalty: 1, maxTokens: 1, stop: [] };

/** Puts `texts` through the environment, one a turn. Throws `data.transcript_exhausted` when the episode goes on beyond them. */
export function scriptedEpisode(
  loaded: LoadedTask,
  texts: readonly string[],
  environment: Environment,
  signal: AbortSignal,
): Promise<Episode> {
  const policy = scriptedPolicy(texts, loaded.task.id);
  const site = { runSeed: 0, step: 0, purpose: "evaluation", rollout: 0 } as const;
  return startEpisode({ loaded, environment, policy, sampling: NO_SAMPLING, ...site, signal });
}
