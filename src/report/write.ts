/**
 * Makes `report.json` and `report.html` of a finished run.
 */
import { join, resolve } from "node:path";
import { writeFileAtomic } from "../runs/disk.ts";
import { DiskImageStore } from "../runs/images.ts";
import { buildReport } from "./build.ts";
import { page } from "./html/page.ts";
import { readInputs } from "./inputs.ts";
import type { Report } from "./report.ts";

/**
 * Reads the run, writes both files beside its records, returns what `report.json` holds. Nothing else in the folder changes.
 * Throws `data.no_run`, `data.no_evaluation`, `data.no_score`, `data.tasks_differ`, `data.bad_decisions`, `data.image_missing`.
 *
 * @example
 * const { before, after } = await writeReport("runs/quickstart"); // after.em === 0.98
 */
export async function writeReport(runPath: string): Promise<Report> {
  const folder = resolve(runPath);
  const inputs = await readInputs(folder);
  const report = buildReport(inputs);
  const text = await page(report, inputs, new DiskImageStore(join(folder, "images")));
  await writeFileAtomic(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFileAtomic(join(folder, "report.html"), text);
  return report;
}
