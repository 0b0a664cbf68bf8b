/**
 * What `startEngine` and `connectEngine` return: one life of a worker. A restart is a new life and a new handle.
 */
import { VarftError } from "../core/errors.ts";
import type { EngineClient } from "./client.ts";
import type { EngineInfo } from "./wire.ts";

/** How a life ended. */
export interface EngineExit {
  /** Exit code of a child process, null when a signal ended it or there is no child. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** null after `stop()`; else why the life ended, the same error that pending calls reject with. */
  error: VarftError | null;
}

export interface EngineHandle {
  readonly client: EngineClient;
  /** As of the start; `client.info()` has the present `policyVersion`. */
  readonly info: EngineInfo;
  /** null for a worker that somebody else started. */
  readonly pid: number | null;
  /** Resolves, never rejects, when this life is over. */
  readonly exited: Promise<EngineExit>;
  /** Ends the life. A child finishes its running operation first, up to the grace; a remote worker is only disconnected from. */
  stop(): Promise<void>;
  /** Ends this life if it lasts and begins another: fresh weights, so load the last committed checkpoint. */
  restart(): Promise<EngineHandle>;
}

export interface HealthWatchOptions {
  /** Pause between probes, and how long one may take. */
  intervalMs: number;
  /** Failed probes in a row after which the worker counts as lost. Probes are counted, not seconds: a suspended laptop loses none. */
  failures: number;
}

/** About two minutes: health is answered while torch computes, but a machine that swaps may need long to do so. */
export const HEALTH_WATCH: HealthWatchOptions = { intervalMs: 10_000, failures: 6 };

/** Probes health until `life` ends; calls `lost` once, with the last failure, after too many in a row or when another life answers. */
export function watchHealth(
  client: EngineClient,
  life: AbortSignal,
  { intervalMs, failures }: HealthWatchOptions,
  lost: (cause: unknown) => void,
): void {
  let failed = 0;
  let timer: NodeJS.Timeout | undefined;
  const probe = async (): Promise<void> => {
    try {
      await client.health({ signal: AbortSignal.timeout(intervalMs) });
      failed = 0;
    } catch (cause) {
      failed++;
      const another = cause instanceof VarftError && cause.code === "engine.restarted";
      if ((another || failed >= failures) && !life.aborted) return lost(cause);
    }
    schedule();
  };
  const schedule = (): void => {
    if (life.aborted) return;
    // Watching alone is no reason for the program to go on.
    timer = setTimeout(() => void probe(), intervalMs).unref();
  };
  life.addEventListener("abort", () => clearTimeout(timer), { once: true });
  schedule();
}
