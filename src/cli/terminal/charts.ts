/**
 * Numbers as a few characters: sparklines, bars, shares.
 */

const LEVELS = "▁▂▃▄▅▆▇█";

/**
 * One character a value, `▁` at `low` and below, `█` at `high` and above; a blank for null. More values than `width` are averaged
 * in equal runs.
 *
 * @example sparkline([0, 0.5, 1], 10, [0, 1]) === "▁▅█"
 */
export function sparkline(values: readonly (number | null)[], width: number, [low, high]: readonly [number, number]) {
  const count = Math.max(0, Math.min(width, values.length));
  const start = (index: number): number => Math.floor((index * values.length) / count);
  return Array.from({ length: count }, (_, index) => {
    const some = values.slice(start(index), start(index + 1)).filter((value) => value !== null);
    if (some.length === 0) return " ";
    const mean = some.reduce((sum, value) => sum + value, 0) / some.length;
    const level = Math.round(((mean - low) / (high - low)) * (LEVELS.length - 1));
    // NaN, of a range without extent, is the lowest level.
    return LEVELS[Math.max(0, Math.min(LEVELS.length - 1, level || 0))];
  }).join("");
}

/** `bar(0.5, 4) === "██░░"` */
export function bar(share: number, width: number): string {
  const filled = Math.max(0, Math.min(width, Math.round(share * width) || 0));
  return "█".repeat(filled) + "░".repeat(width - filled);
}

/**
 * A score or a share as in the published tables: two decimals, no leading zero.
 *
 * @example score(0.974) === ".97"; score(1) === "1.0"; score(null) === "-"
 */
export function score(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  const text = value.toFixed(2);
  return text === "1.00" ? "1.0" : text.replace(/^(-?)0\./, "$1.");
}
