/**
 * Which tasks a step trains on: the next ones in order, or the next ones of each kind.
 */
import { ConfigError } from "../core/errors.ts";
import { SeededStream } from "../core/seeds.ts";
import type { TaskSet } from "../core/task.ts";

/** Tasks of a step: how many, or how many of each kind. */
export type TasksPerStep = number | Record<string, number>;

/**
 * Task indices of step `step` (1-based); a set that is used up starts again. With `orderSeed`, each pass over the set has an order of
 * its own: for sets that stand in a file sorted somehow.
 * Throws `config.unknown_kind` when a kind has no task, `config.too_few_tasks` when a step would train on one twice.
 *
 * @example selector(tasks, { none: 2, dark: 1 })(1) // the first two clean tasks and the first dark one
 */
export function taskSelector(
  tasks: TaskSet,
  perStep: TasksPerStep,
  orderSeed: number | null = null,
): (step: number) => number[] {
  if (typeof perStep === "number") {
    refuseTooFew(tasks, "training.tasksPerStep", perStep, tasks.size);
    return windows(allOf(tasks.size), perStep, orderSeed);
  }
  const byKind = indicesByKind(tasks);
  const strata = Object.entries(perStep).map(([kind, count]) => {
    const indices = byKind.get(kind);
    if (indices !== undefined) {
      refuseTooFew(tasks, `training.tasksPerStep.${kind}`, count, indices.length);
      return windows(indices, count, orderSeed);
    }
    throw new ConfigError(
      "config.unknown_kind",
      `training.tasksPerStep.${kind}: ${tasks.name} has no task of that kind`,
      {
        hint: `It has: ${[...byKind.keys()].join(", ")}.`,
      },
    );
  });
  return (step) => strata.flatMap((next) => next(step));
}

/** The next `count` of `indices` at each step, pass after pass; never the same twice in a step. */
function windows(indices: readonly number[], count: number, orderSeed: number | null): (step: number) => number[] {
  const size = indices.length;
  const orders: (readonly number[])[] = [];
  const orderOf = (pass: number): readonly number[] => {
    if (orderSeed === null) return indices;
    for (let next = orders.length; next <= pass; next++) {
      const order = shuffled(indices, orderSeed, next);
      const begun = (next * size) % count;
      orders.push(begun === 0 ? order : without(orders[next - 1]?.slice(-begun) ?? [], order, count - begun));
    }
    return orders[pass] ?? indices;
  };
  return (step) =>
    Array.from({ length: count }, (_, i) => {
      const place = (step - 1) * count + i;
      return orderOf(Math.floor(place / size))[place % size] ?? 0;
    });
}

/** `order` with none of `taken` among its first `count`: a step that began with the end of a pass goes on with other tasks. */
function without(taken: readonly number[], order: readonly number[], count: number): number[] {
  const held = new Set(taken);
  const head = order.filter((index) => !held.has(index)).slice(0, count);
  const inHead = new Set(head);
  return [...head, ...order.filter((index) => !inHead.has(index))];
}

/** Fisher-Yates, a function of the seed and the pass. */
function shuffled(indices: readonly number[], seed: number, pass: number): number[] {
  const stream = new SeededStream("task-order", seed, pass);
  const order = [...indices];
  for (let last = order.length - 1; last > 0; last--) {
    const other = stream.integer(0, last);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

function refuseTooFew({ name }: TaskSet, key: string, wanted: number, size: number): void {
  if (wanted <= size) return;
  throw new ConfigError("config.too_few_tasks", `${key}: ${wanted} tasks in each step, ${name} has ${size}`, {
    hint: `Set ${key} to ${size} or less, or give more tasks.`,
  });
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
