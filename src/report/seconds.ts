/**
 * Wall clock of a run, from its records.
 */
import type { RunRecord } from "../core/records.ts";
import { phaseSeconds, sharesOf } from "../core/step-seconds.ts";
import type { Report } from "./report.ts";

/** Held-out evaluations are one more phase of their step. */
export function secondsOf(records: readonly RunRecord[]): Report["seconds"] {
  const steps = new Map<number, Record<string, number>>();
  const add = (step: number, phase: string, value: number): void => {
    const byPhase = steps.get(step) ?? {};
    byPhase[phase] = (byPhase[phase] ?? 0) + value;
    steps.set(step, byPhase);
  };
  for (const record of records) {
    if (record.kind === "evaluation") add(record.step, "evaluation", record.seconds["total"] ?? 0);
    if (record.kind !== "update") continue;
    for (const [phase, value] of phaseSeconds(record.seconds)) add(record.step, phase, value);
  }
  const byPhase: Record<string, number> = {};
  for (const phases of steps.values()) {
    for (const [phase, value] of Object.entries(phases)) byPhase[phase] = (byPhase[phase] ?? 0) + value;
  }
  const shares = sharesOf(records.flatMap((record) => (record.kind === "update" ? [record.seconds] : [])));
  return {
    byPhase,
    total: sum(Object.values(byPhase)),
    ...(shares === null ? {} : { shares }),
    steps: [...steps].sort(([a], [b]) => a - b).map(([step, byPhase]) => ({ step, byPhase })),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
