/**
 * Numbers as a person reads them.
 */
import type { Interval } from "../report.ts";

/** Share to percent: `percent(0.9825) === "98.3"`. */
export function percent(share: number): string {
  return (share * 100).toFixed(1);
}

/** Difference of shares in points, with its sign: `points(-0.021) === "−2.1"`. */
export function points(difference: number): string {
  const text = percent(Math.abs(difference));
  return `${difference < 0 && text !== "0.0" ? "−" : "+"}${text}`;
}

/** `97.0–98.9` */
export function range([low, high]: Interval): string {
  return `${percent(low)}–${percent(high)}`;
}

/** `+61.2 to +66.9` */
export function pointsRange([low, high]: Interval): string {
  return `${points(low)} to ${points(high)}`;
}

/** Three significant digits, short: `0.0123`, `1.2e-7`, `4`. */
export function short(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 0.001 || size >= 100_000) return value.toExponential(1).replace(".0e", "e");
  return String(Number(value.toPrecision(3)));
}

/** `1,600` */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Wall clock: `48 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${seconds < 10 ? seconds.toFixed(1) : whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}
