/**
 * The task set that a recipe names.
 */
import type { TaskSet } from "../../core/task.ts";
import { rotationTasks } from "../../tasks/rotation/index.ts";
import type { Recipe } from "../../training/recipe/schema.ts";

export function buildTasks(tasks: Recipe["tasks"], split: string): TaskSet {
  switch (tasks.set) {
    case "rotation":
      return rotationTasks({ seed: tasks.seed, split, size: tasks.size });
  }
}
