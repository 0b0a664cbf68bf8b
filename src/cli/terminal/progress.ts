/**
 * Progress of a long loop: a live line with bar and time left on a terminal, sparse plain lines in a pipe.
 */
import { bar } from "./charts.ts";
import { canRedraw, LiveRegion, printLine } from "./live-region.ts";
import { duration, Pace, type Clock } from "./pace.ts";
import { painter } from "./style.ts";

const BAR_WIDTH = 24;
/** Updates that the time left is taken from. */
const WINDOW = 50;
/** A pipe gets a line for each of these shares, but none sooner than `SOONEST_MS` and none later than `LATEST_MS` after the last. */
const SHARES = 20;
const SOONEST_MS = 5_000;
const LATEST_MS = 60_000;

export interface Progress {
  /** `done` of `total` units are finished. */
  update(done: number, note: string): void;
  /** Ends the live line with a last note. */
  finish(note: string): void;
}

export function progress(
  title: string,
  total: number,
  out: NodeJS.WriteStream = process.stdout,
  now: Clock = () => performance.now(),
): Progress {
  const startedMs = now();
  let pace = new Pace(startedMs, WINDOW);
  const paint = painter(out);
  let latest = { done: 0, note: "" };
  const line = (barWidth: number): string => {
    const left = pace.left(total, now());
    return [
      `${title} ${barWidth > 0 ? `${paint("cyan", bar(latest.done / total, barWidth))} ` : ""}${latest.done}/${total}`,
      ...(left === null ? [] : [`${duration(left)} left`]),
      ...(latest.note === "" ? [] : [latest.note]),
    ].join(" · ");
  };
  const region = canRedraw(out) ? LiveRegion.open(out, (width) => [line(width < 60 ? 8 : BAR_WIDTH)]) : null;
  let shown = { share: 0, atMs: startedMs };
  return {
    update(done, note) {
      // Work that was resumed did not happen now.
      if (latest.done === 0 && done > 1) pace = new Pace(now(), WINDOW, done);
      else pace.mark(done, now());
      latest = { done, note };
      if (region !== null) return;
      const share = Math.floor((done * SHARES) / total);
      const since = now() - shown.atMs;
      if (since < LATEST_MS && (since < SOONEST_MS || share === shown.share)) return;
      shown = { share, atMs: now() };
      printLine(line(0), out);
    },
    finish(note) {
      region?.close("erase");
      printLine(`${title} ${note} (${duration((now() - startedMs) / 1000)})`, out);
    },
  };
}
