/**
 * Student's t (Gosset 1908): how far a mean over few runs would move with other seeds.
 */
import type { Interval } from "../report/report.ts";

const LEVEL = 0.95;

/** Mean, and mean ± t(0.975, n - 1) s / √n with Bessel's s; no interval for a single value. @throws RangeError for no values */
export function studentInterval(values: readonly number[]): { mean: number; interval: Interval | null } {
  const count = values.length;
  if (count === 0) throw new RangeError("studentInterval: no values");
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, interval: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = studentQuantile(count - 1) * Math.sqrt(variance / count);
  return { mean, interval: [mean - half, mean + half] };
}

/** t with P(|T| < t) = 0.95 for `freedom` degrees of freedom, an integer >= 1. `studentQuantile(1) === 12.706...` */
export function studentQuantile(freedom: number): number {
  let [low, high] = [0, Math.PI / 2];
  // Halved until no double lies between.
  for (let middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (shareWithin(middle, freedom) < LEVEL) low = middle;
    else high = middle;
  }
  return Math.sqrt(freedom) * Math.tan(high);
}

/** P(|T| < √ν tan θ), a finite sum for integer ν: Abramowitz & Stegun 26.7.3 and 26.7.4. */
function shareWithin(theta: number, freedom: number): number {
  const [sin, cos] = [Math.sin(theta), Math.cos(theta)];
  const odd = freedom % 2 === 1;
  let term = odd ? cos : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let power = odd ? 3 : 2; power <= freedom - 2; power += 2) {
    term *= ((power - 1) / power) * cos * cos;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (theta + sin * sum) : sin * sum;
}
