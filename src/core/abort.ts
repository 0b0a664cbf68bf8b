/**
 * A signal that follows others until it is let go. `AbortSignal.any` keeps every derived signal alive on Node 20 for as long as
 * its longest-lived source: one leak per tool call of a run.
 */

import { setMaxListeners } from "node:events";

export interface LinkedSignal extends Disposable {
  controller: AbortController;
  signal: AbortSignal;
}

/** Follows `sources`; dispose it when the work it guards is over. */
export function linkedSignal(sources: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController();
  // Hundreds of rollouts wait on one signal; that is no leak.
  setMaxListeners(0, controller.signal, ...sources);
  const stops = sources.map((source) => {
    const abort = (): void => controller.abort(source.reason);
    if (source.aborted) abort();
    else source.addEventListener("abort", abort, { once: true });
    return () => source.removeEventListener("abort", abort);
  });
  return {
    controller,
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const stop of stops) stop();
    },
  };
}
