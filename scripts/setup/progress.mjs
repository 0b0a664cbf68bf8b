/**
 * What a person sees while set-up works: numbered steps, and within a step a bar on a terminal or a line now and then elsewhere.
 */

/** `bytes(191794682) === "192 MB"`; decimal units, as package indexes print them. @param {number} count */
export function bytes(count) {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} GB`;
  if (count >= 1e7) return `${Math.round(count / 1e6)} MB`;
  if (count >= 1e5) return `${(count / 1e6).toFixed(1)} MB`;
  return `${Math.ceil(count / 1e3)} kB`;
}

/** `duration(75000) === "1 min 15 s"` @param {number} ms */
export function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** `bar(0.5, 10) === "[#####-----]"` @param {number} fraction @param {number} width */
export function bar(fraction, width) {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}]`;
}

const TERMINAL_INTERVAL_MS = 250;
const PLAIN_INTERVAL_MS = 15_000;

/**
 * How far a step is: `total` 0 when unknown.
 * @typedef {{label: string, done: number, total: number}} Reading
 */

/** Prints the steps of one set-up to stdout. */
export class Progress {
  #step = 0;
  #startedAt = Date.now();
  #stepStartedAt = Date.now();
  /** @type {NodeJS.Timeout | null} */
  #timer = null;

  /** @param {number} total number of steps */
  constructor(total) {
    this.total = total;
  }

  /** Says a step before it runs. @param {string} title @param {string} [detail] */
  start(title, detail = "") {
    this.#step += 1;
    this.#stepStartedAt = Date.now();
    process.stdout.write(`[${this.#step}/${this.total}] ${title}${detail === "" ? "" : `: ${detail}`}\n`);
  }

  /** A line within the step. @param {string} text */
  note(text) {
    this.#clear();
    process.stdout.write(`      ${text.replaceAll("\n", "\n      ")}\n`);
  }

  /** Shows `read()` until `stop`. @param {() => Reading} read */
  watch(read) {
    const terminal = process.stdout.isTTY === true;
    const show = () => {
      const text = this.#line(read());
      if (terminal) process.stdout.write(`\r\u001b[K      ${text.slice(0, (process.stdout.columns || 80) - 8)}`);
      else process.stdout.write(`      ${text}\n`);
    };
    this.#timer = setInterval(show, terminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS);
  }

  /** Ends the bar of the step. */
  stop() {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#clear();
  }

  /** Ends the step. @param {string} [result] */
  done(result = "done") {
    this.stop();
    this.note(`${result} (${duration(Date.now() - this.#stepStartedAt)})`);
  }

  /** Time since set-up began, in words. */
  elapsed() {
    return duration(Date.now() - this.#startedAt);
  }

  #clear() {
    if (process.stdout.isTTY === true) process.stdout.write("\r\u001b[K");
  }

  /** @param {Reading} reading */
  #line({ label, done, total }) {
    const elapsed = Date.now() - this.#stepStartedAt;
    if (total === 0 || done === 0) return `${label}, ${duration(elapsed)} so far`;
    const fraction = Math.min(1, done / total);
    const left = fraction >= 1 ? "" : `, ${duration((elapsed * (1 - fraction)) / fraction)} left`;
    return `${bar(fraction, 24)} ${label} ${bytes(done)} of ${bytes(total)}, ${duration(elapsed)} so far${left}`;
  }
}
