/**
 * Progress of a long loop: a live line with bar and time left on a terminal, sparse plain lines in a pipe.
 */
import { bar } from "./charts.ts";
import { canRedraw, LiveRegion } from "./live-region.ts";
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
  const pace = new Pace(now(), WINDOW);
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
  let shown = { share: 0, atMs: now() };
  return {
    update(done, note) {
      latest = { done, note };
      pace.mark(done, now());
      if (region !== null) return;
      const share = Math.floor((done * SHARES) / total);
      const since = now() - shown.atMs;
      if (since < LATEST_MS && (since < SOONEST_MS || share === shown.share)) return;
      shown = { share, atMs: now() };
      out.write(`${line(0)}\n`);
    },
    finish(note) {
      region?.close("erase");
      out.write(`${title} ${note} (${duration(pace.elapsed(now()))})\n`);
    },
  };
}
