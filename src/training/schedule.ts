/**
 * Learning-rate schedules. The worker has none: it receives the rate with each step.
 */

export interface Schedule {
  learningRate: number;
  /** Steps of linear warm-up from 0. */
  warmupSteps: number;
  /** Linear decay after the warm-up to `learningRate * finalFraction` at the last step; 1 is constant. */
  finalFraction: number;
}

/** The rate of step `step` (1-based) of `steps`. */
export function learningRateAt(schedule: Schedule, step: number, steps: number): number {
  const { learningRate, warmupSteps, finalFraction } = schedule;
  if (step <= warmupSteps) return (learningRate * step) / (warmupSteps + 1);
  const span = Math.max(1, steps - warmupSteps - 1);
  const done = (step - warmupSteps - 1) / span;
  return learningRate * (1 - (1 - finalFraction) * done);
}
