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
