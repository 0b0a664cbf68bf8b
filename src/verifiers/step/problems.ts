/**
 * Accuracy of named problems: 1 for the same set, 0.5 for the rotation alone of {rotation, x}, else 0.
 */

/** 0, 0.5 or 1. */
export function problemScore(found: readonly string[], gold: readonly string[]): number {
  const [a, b] = [new Set(found), new Set(gold)];
  if (a.size === b.size && [...a].every((name) => b.has(name))) return 1;
  const [only] = found;
  const rotationAlone = a.size === 1 && only !== undefined && isRotation(only);
  return b.size === 2 && rotationAlone && b.has(only) ? 0.5 : 0;
}

const isRotation = (name: string): boolean => name === "rotation90" || name === "rotation180";

/**
 * The names as the public code reads them from a completion: between single quotes in the braces of the first `<problem>{..}</problem>`,
 * sorted, repetitions kept; empty without one.
 */
export function referenceProblems(body: string | null): string[] {
  const text = body?.trim() ?? "";
  if (!text.startsWith("{") || !text.endsWith("}")) return [];
  return [...text.slice(1, -1).matchAll(/'([^']+)'/g)].map((match) => match[1] ?? "").sort();
}

/** As the public code compares: lists, so that a name written twice is wrong; the half for one entry only. */
export function referenceProblemScore(found: readonly string[], gold: readonly string[]): number {
  const sorted = gold.toSorted();
  if (found.length === 1 && gold.length === 2) {
    const rotation = ["rotation90", "rotation180"].find((name) => gold.includes(name));
    if (rotation !== undefined && found[0] === rotation) return 0.5;
  }
  return found.length === sorted.length && found.every((name, index) => name === sorted[index]) ? 1 : 0;
}
