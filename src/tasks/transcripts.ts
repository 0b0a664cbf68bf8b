/**
 * Recorded transcripts of the published checkpoints on MAT-Coding: what a model emitted, step by step, beside the cases it was asked.
 * `<folder>/coding_transcripts.json` [{id, steps}], `<folder>/coding_case.json` (MAT-Coding records), `<folder>/images/`.
 */
import { dirname, join } from "node:path";
import { z } from "zod";
import { DataError } from "../core/errors.ts";
import { readRecordList } from "../core/record-list.ts";
import type { LoadedTask } from "../core/task.ts";
import { loadMatCoding } from "./mat-coding.ts";

const transcriptSchema = z.object({ id: z.int(), steps: z.array(z.string()).min(1) });

export interface RecordedEpisode {
  loaded: LoadedTask;
  steps: string[];
}

/** Reads a transcript file with its cases and images. Throws `data.*` naming file, index and field. */
export async function loadCodingTranscripts(path: string): Promise<RecordedEpisode[]> {
  const folder = dirname(path);
  const transcripts = await readRecordList(path, transcriptSchema);
  const casesPath = join(folder, "coding_case.json");
  const cases = await loadMatCoding(casesPath, join(folder, "images"));
  return Promise.all(
    transcripts.map(async ({ id, steps }, index) => {
      const found = cases.indexOf(id);
      if (found === undefined) {
        throw new DataError("data.unknown_case", `${path}: record ${index}: no case ${id} in ${casesPath}`, {
          hint: "Every transcript needs the case it answers, by id.",
          details: { file: path, index, field: "id" },
        });
      }
      return { loaded: await cases.load(found), steps };
    }),
  );
}
