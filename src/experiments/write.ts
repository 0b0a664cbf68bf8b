/**
 * Makes `results.json`, `experiment.md` and `experiment.csv` of an experiment, finished or not.
 */
import { join } from "node:path";
import { writeFileAtomic } from "../runs/disk.ts";
import type { Experiment } from "./folder.ts";
import type { MeasuredRun } from "./measure.ts";
import { buildResults, type Results } from "./results.ts";
import { csv, markdown } from "./table.ts";

/** `measured[i]` is that of `plannedRuns(experiment)[i]`, null while unfinished. Throws `data.tasks_differ`. */
export async function writeResults(
  path: string,
  experiment: Experiment,
  measured: readonly (MeasuredRun | null)[],
): Promise<Results> {
  const results = buildResults(experiment, measured);
  await writeFileAtomic(join(path, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  await writeFileAtomic(join(path, "experiment.md"), markdown(results));
  await writeFileAtomic(join(path, "experiment.csv"), csv(results));
  return results;
}
