/**
 * Everything that a report is made from, read once.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../core/errors.ts";
import type { RunRecord } from "../core/records.ts";
import { readRecords } from "../runs/read.ts";
import { RunFolder } from "../runs/run-folder.ts";
import { readDecisions, type Decisions } from "./decisions.ts";
import { readFinalEvaluations, type FinalEvaluations } from "./evaluations.ts";

/** What a report needs of `run.json`; everything else of the recipe is shown as it is. */
const manifestSchema = z.looseObject({
  recipe: z.looseObject({ name: z.string(), seed: z.int() }),
  recipePath: z.string().optional(),
  versions: z.record(z.string(), z.string()).default({}),
});
export type Manifest = z.infer<typeof manifestSchema>;

export interface ReportInputs {
  manifest: Manifest;
  /** The run's own records that count, in order. */
  records: readonly RunRecord[];
  finals: FinalEvaluations;
  decisions: Decisions | null;
}

/** Throws `data.no_run`, and what `readFinalEvaluations` and `readDecisions` throw. */
export async function readInputs(runPath: string): Promise<ReportInputs> {
  const manifest = manifestSchema.safeParse(await RunFolder.manifest(runPath));
  const recordsPath = join(runPath, "records.jsonl");
  if (!manifest.success || !existsSync(recordsPath)) {
    const reason = manifest.success ? "records.jsonl is missing" : `run.json: ${z.prettifyError(manifest.error)}`;
    throw new DataError("data.no_run", `${runPath} is no training run: ${reason}`, {
      hint: "Give the folder that `varft train` printed.",
    });
  }
  const finals = await readFinalEvaluations(runPath);
  const decisions = await readDecisions(join(runPath, "evaluations", "decisions.json"));
  const { records } = await readRecords(recordsPath);
  return { manifest: manifest.data, records, finals, decisions };
}
