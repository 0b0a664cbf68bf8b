/**
 * The seconds of a step: phases follow each other, the rest takes them apart another way.
 */

/** Parts of the phases, not phases: what engine, tools and this program took of them. */
const SHARES = new Set(["engine", "tools", "control", "total"]);

/** `[name, seconds]` of each phase, in the record's order. */
export function phaseSeconds(seconds: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(seconds).filter(([name]) => !SHARES.has(name));
}

/** Wall clock of a step. */
export function stepSeconds(seconds: Readonly<Record<string, number>>): number {
  return seconds["total"] ?? phaseSeconds(seconds).reduce((sum, [, value]) => sum + value, 0);
}

/** control / total over all steps: the time outside engine and tools. Null where it is not measured. */
export function shareOfControl(steps: readonly Readonly<Record<string, number>>[]): number | null {
  const measured = steps.filter((seconds) => seconds["control"] !== undefined);
  const total = measured.reduce((sum, seconds) => sum + stepSeconds(seconds), 0);
  if (total === 0) return null;
  return measured.reduce((sum, seconds) => sum + (seconds["control"] ?? 0), 0) / total;
}
