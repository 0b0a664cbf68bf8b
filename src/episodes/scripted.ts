/**
 * Episodes that are told what to say: recorded transcripts, and demonstrations.
 */
import type { Message } from "../core/messages.ts";
import type { Turn } from "../core/records.ts";
import type { LoadedTask } from "../core/task.ts";
import { act, type Environment } from "../environment/environment.ts";
import { messagesAt } from "../environment/messages.ts";
import { scriptedPolicy } from "../policies/scripted.ts";
import { startEpisode, turnOf, type Episode } from "./episode.ts";

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

/** What a policy is shown after it has said `texts`, one a turn: their actions are carried out. */
export async function messagesAfter(
  { task, images }: LoadedTask,
  texts: readonly string[],
  environment: Environment,
  signal: AbortSignal,
): Promise<Message[]> {
  for (const image of images) await environment.images.put(image);
  const turns: Turn[] = [];
  const trace = { task: { question: task.public.question, images: task.public.images }, turns };
  for (const text of texts) {
    const { step, toolRuns } = await act(environment, trace, text, signal);
    turns.push(turnOf({ text, stopReason: "end", sampled: null, seconds: {} }, null, { step, toolRuns }, 0));
  }
  return messagesAt(trace, turns.length, environment.settings);
}
