/**
 * The task set that a recipe names.
 */
import { ConfigError } from "../../core/errors.ts";
import type { TaskSet } from "../../core/task.ts";
import { damagedDigits, SPLITS } from "../../tasks/damaged-digits/index.ts";
import type { Recipe } from "../../training/recipe/schema.ts";

/** Throws `config.unknown_split` and what the set throws. */
export function buildTasks(tasks: Recipe["tasks"], split: string): TaskSet {
  const known = SPLITS.find((name) => name === split);
  if (known === undefined) {
    throw new ConfigError("config.unknown_split", `no split of the name ${split}`, {
      hint: `There are: ${SPLITS.join(", ")}.`,
    });
  }
  const { seed, size } = tasks;
  switch (tasks.set) {
    case "damaged-digits":
      return damagedDigits({ seed, split: known, size, ...(tasks.kinds === null ? {} : { kinds: tasks.kinds }) });
  }
}
