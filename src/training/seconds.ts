/**
 * Where the wall time of a step went: engine, tools, and the rest, which is this program's own overhead.
 */
import type { Episode } from "../episodes/episode.ts";

/** Seconds that the worker spent sampling: every turn carries its share of its wave. */
export function samplingSeconds(episodes: readonly Episode[]): number {
  let sum = 0;
  for (const { record } of episodes) {
    for (const { seconds } of record.turns) {
      sum += (seconds["render"] ?? 0) + (seconds["prefill"] ?? 0) + (seconds["decode"] ?? 0);
    }
  }
  return sum;
}

/**
 * Wall seconds in which tools ran. Episodes that sample in waves run the tools of a turn side by side, so each turn lasts as long
 * as its slowest episode: sum_t max_i tools(i, t).
 */
export function toolSeconds(episodes: readonly Episode[]): number {
  const longest: number[] = [];
  for (const { record } of episodes) {
    record.turns.forEach(({ toolRuns }, turn) => {
      const spent = toolRuns.reduce((sum, run) => sum + run.seconds, 0);
      longest[turn] = Math.max(longest[turn] ?? 0, spent);
    });
  }
  return longest.reduce((sum, seconds) => sum + seconds, 0);
}

/** Wall clock of phases that follow one another. */
export class PhaseClock {
  readonly #started = performance.now();
  #last = this.#started;
  readonly phases: Record<string, number> = {};

  /** Ends the phase that ran since the last call. */
  end(phase: string): void {
    const now = performance.now();
    this.phases[phase] = (this.phases[phase] ?? 0) + (now - this.#last) / 1000;
    this.#last = now;
  }

  /** Since the clock began. */
  get total(): number {
    return (performance.now() - this.#started) / 1000;
  }
}
