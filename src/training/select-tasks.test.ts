import fc from "fast-check";
import { expect, it } from "vitest";
import type { TaskSet } from "../core/task.ts";
import { taskSelector } from "./select-tasks.ts";

/** Nine tasks; kinds repeat every three. Only their kinds are asked for. */
const tasks: TaskSet = {
  name: "nine",
  size: 9,
  kindOf: (index) => ["none", "rotation90", "rotation180"][index % 3] ?? "",
  load: () => Promise.reject(new Error("not loaded here")),
};

it("takes the next tasks in order, and starts again at the end", () => {
  const select = taskSelector(tasks, 4);
  expect([select(1), select(2), select(3)]).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 0, 1, 2],
  ]);
});

it("takes the next tasks of each kind", () => {
  const select = taskSelector(tasks, { none: 2, rotation180: 1 });
  expect([select(1), select(2)]).toEqual([
    [0, 3, 2],
    [6, 0, 5],
  ]);
});

it("names the kinds there are when one has no task", () => {
  expect(() => taskSelector(tasks, { fog: 1 })).toThrow("training.tasksPerStep.fog");
});

it("draws an order for each pass, the same for the same seed, and every task once a pass", () => {
  const passes = (seed: number): number[][] => {
    const select = taskSelector(tasks, 3, seed);
    const flat = [1, 2, 3, 4, 5, 6].flatMap(select);
    return [flat.slice(0, 9), flat.slice(9)];
  };
  const [first, second] = passes(1);
  expect(first?.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(second?.toSorted()).toEqual(first?.toSorted());
  expect(second).not.toEqual(first);
  expect(passes(1)).toEqual([first, second]);
  expect(passes(2)).not.toEqual([first, second]);
  // A resumed run asks for a later step first.
  expect(taskSelector(tasks, 3, 1)(5)).toEqual(second?.slice(3, 6));
});

it("never draws a task twice in a step, whatever step a pass ends in", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.nat(), (size, count, seed) => {
      fc.pre(count <= size);
      const select = taskSelector({ ...tasks, size }, count, seed);
      const steps = Array.from({ length: 3 * size }, (_, step) => select(step + 1));
      for (const step of steps) expect(new Set(step).size).toBe(count);
      const flat = steps.flat();
      for (let pass = 0; (pass + 1) * size <= flat.length; pass++) {
        expect(new Set(flat.slice(pass * size, (pass + 1) * size)).size).toBe(size);
      }
    }),
    { numRuns: 50 },
  );
});

it("refuses steps of more tasks than there are", () => {
  expect(() => taskSelector(tasks, 10)).toThrow("10 tasks in each step, nine has 9");
  expect(() => taskSelector(tasks, { none: 4 })).toThrow(
    "training.tasksPerStep.none: 4 tasks in each step, nine has 3",
  );
});
