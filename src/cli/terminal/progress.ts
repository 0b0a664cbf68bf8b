/**
 * Progress of a long loop: one live line with bar and ETA on a terminal, sparse plain lines in a pipe.
 */
import { style } from "./style.ts";

const BAR_WIDTH = 24;

export interface Progress {
  /** `done` of `total` units are finished. */
  update(done: number, note: string): void;
  /** Ends the live line with a last note. */
  finish(note: string): void;
}

export function progress(title: string, total: number, out: NodeJS.WriteStream = process.stdout): Progress {
  const started = performance.now();
  let lastShare = -1;
  return {
    update(done, note) {
      const elapsed = (performance.now() - started) / 1000;
      const left = done === 0 ? "" : ` · ${duration((elapsed / done) * (total - done))} left`;
      if (out.isTTY) {
        const filled = Math.round((BAR_WIDTH * done) / total);
        const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
        out.write(`\r\u001b[2K${title} ${style("cyan", bar, out)} ${done}/${total}${left} · ${note}`);
        return;
      }
      const share = Math.floor((done * 5) / total);
      if (share === lastShare) return;
      lastShare = share;
      out.write(`${title} ${done}/${total}${left} · ${note}\n`);
    },
    finish(note) {
      const elapsed = duration((performance.now() - started) / 1000);
      out.write(`${out.isTTY ? "\r\u001b[2K" : ""}${title} ${note} (${elapsed})\n`);
    },
  };
}

/** `duration(75) === "1 min 15 s"` */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
