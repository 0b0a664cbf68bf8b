/**
 * Learning-rate schedules. The worker has none: it receives the rate with each step.
 */

export interface Schedule {
  learningRate: number;
  /** Steps of linear warm-up from 0. */
  warmupSteps: number;
  /** After the warm-up. Null or absent: linear where there is a `finalFraction`, else constant. */
  schedule?: "constant" | "linear" | "cosine" | null;
  /** Rate at the schedule's last step as a share of `learningRate`. Null or absent: 0 one step after it, as in transformers. */
  finalFraction?: number | null;
  /** Steps that the schedule spans, of which a run may make the first; null or absent: those of the run. */
  scheduleSteps?: number | null;
}

/**
 * The rate of step `step` (1-based) of a run of `steps`: `learningRate * (f + (1 - f) * shape(p))`, with the final fraction f, the
 * progress p in [0, 1] after the warm-up, and the shape 1 - p (linear) or (1 + cos(pi p)) / 2 (cosine).
 */
export function learningRateAt(schedule: Schedule, step: number, steps: number): number {
  const { learningRate, warmupSteps, finalFraction = null, scheduleSteps = null } = schedule;
  if (step <= warmupSteps) return (learningRate * step) / (warmupSteps + 1);
  const shape = schedule.schedule ?? (finalFraction === null ? "constant" : "linear");
  if (shape === "constant") return learningRate;
  const decaying = (scheduleSteps ?? steps) - warmupSteps;
  const span = Math.max(1, finalFraction === null ? decaying : decaying - 1);
  const progress = Math.min(1, (step - warmupSteps - 1) / span);
  const left = shape === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  const end = finalFraction ?? 0;
  return learningRate * (end + (1 - end) * left);
}
