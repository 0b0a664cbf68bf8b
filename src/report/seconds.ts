/**
 * Wall clock of a run, from its records.
 */
import type { RunRecord, UpdateRecord } from "../core/records.ts";
import type { Report } from "./report.ts";

/** Keys of an update's seconds that take its phases apart another way; its phases follow each other. */
const SHARES = ["engine", "tools", "control"] as const;
const NOT_PHASES: ReadonlySet<string> = new Set([...SHARES, "total"]);

type Seconds = Readonly<Record<string, number>>;

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
    for (const [phase, value] of phasesOf(record.seconds)) add(record.step, phase, value);
  }
  const byPhase: Record<string, number> = {};
  for (const phases of steps.values()) {
    for (const [phase, value] of Object.entries(phases)) byPhase[phase] = (byPhase[phase] ?? 0) + value;
  }
  return {
    byPhase,
    total: sum(Object.values(byPhase)),
    ...sharesOf(records.filter((record) => record.kind === "update")),
    steps: [...steps].sort(([a], [b]) => a - b).map(([step, byPhase]) => ({ step, byPhase })),
  };
}

/** Of the training steps that tell all three; nothing when none does. */
function sharesOf(updates: readonly UpdateRecord[]): Pick<Report["seconds"], "shares"> {
  const measured = updates.map(({ seconds }) => seconds).filter((seconds) => SHARES.every((name) => name in seconds));
  const total = sum(measured.flatMap((seconds) => phasesOf(seconds).map(([, value]) => value)));
  if (total === 0) return {};
  const share = (name: string): number => sum(measured.map((seconds) => seconds[name] ?? 0)) / total;
  return { shares: { engine: share("engine"), tools: share("tools"), control: share("control") } };
}

function phasesOf(seconds: Seconds): [string, number][] {
  return Object.entries(seconds).filter(([name]) => !NOT_PHASES.has(name));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
