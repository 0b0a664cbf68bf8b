/**
 * How fast a loop goes and how long it will still take. The clock is the caller's.
 */

/** Milliseconds that only grow. */
export type Clock = () => number;

/** The time left follows the last units, not the mean since the start: a first step that loads and compiles says nothing about the rest. */
export class Pace {
  readonly #window: number;
  readonly #startedMs: number;
  /** When how many units were done; the newest last. */
  #marks: { done: number; atMs: number }[];

  /** @param window how many of the last marks count */
  constructor(nowMs: number, window: number, done = 0) {
    this.#window = window;
    this.#startedMs = nowMs;
    this.#marks = [{ done, atMs: nowMs }];
  }

  /** `done` units are finished. Fewer than before begins anew from there. */
  mark(done: number, nowMs: number): void {
    if (done <= this.#newest.done) this.#marks = [];
    this.#marks.push({ done, atMs: nowMs });
    this.#marks = this.#marks.slice(-this.#window - 1);
  }

  elapsed(nowMs: number): number {
    return (nowMs - this.#startedMs) / 1000;
  }

  /** Seconds until `total` units are done, at the pace of the last ones; null before the first. */
  left(total: number, nowMs: number): number | null {
    const [oldest] = this.#marks;
    const newest = this.#newest;
    if (oldest === undefined || newest.done === oldest.done) return null;
    const perUnit = (newest.atMs - oldest.atMs) / (newest.done - oldest.done);
    return Math.max(0, perUnit * (total - newest.done) - (nowMs - newest.atMs)) / 1000;
  }

  get #newest(): { done: number; atMs: number } {
    return this.#marks.at(-1) ?? { done: 0, atMs: this.#startedMs };
  }
}

/** `duration(75) === "1 min 15 s"` */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
