/**
 * Which tasks a step trains on: the next ones in order, or the next ones of each kind.
 */
import { ConfigError } from "../core/errors.ts";
import type { TaskSet } from "../core/task.ts";

/** Tasks of a step: how many, or how many of each kind. */
export type TasksPerStep = number | Record<string, number>;

/**
 * Task indices of step `step` (1-based); a set that is used up starts again.
 * Throws `config.unknown_kind` when a kind has no task.
 *
 * @example selector(tasks, { none: 2, dark: 1 })(1) // the first two clean tasks and the first dark one
 */
export function taskSelector(tasks: TaskSet, perStep: TasksPerStep): (step: number) => number[] {
  if (typeof perStep === "number") return (step) => window(allOf(tasks.size), step, perStep);
  const byKind = indicesByKind(tasks);
  const strata = Object.entries(perStep).map(([kind, count]) => {
    const indices = byKind.get(kind);
    if (indices !== undefined) return { indices, count };
    throw new ConfigError(
      "config.unknown_kind",
      `training.tasksPerStep.${kind}: ${tasks.name} has no task of that kind`,
      {
        hint: `It has: ${[...byKind.keys()].join(", ")}.`,
      },
    );
  });
  return (step) => strata.flatMap(({ indices, count }) => window(indices, step, count));
}

function window(indices: readonly number[], step: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => indices[((step - 1) * count + i) % indices.length] ?? 0);
}

function allOf(size: number): number[] {
  return Array.from({ length: size }, (_, index) => index);
}

function indicesByKind(tasks: TaskSet): Map<string, number[]> {
  const byKind = new Map<string, number[]>();
  for (const index of allOf(tasks.size)) {
    const kind = tasks.kindOf(index);
    const known = byKind.get(kind);
    if (known === undefined) byKind.set(kind, [index]);
    else known.push(index);
  }
  return byKind;
}
