/**
 * Recorded transcripts of the published checkpoints on MAT-Coding: what a model emitted, step by step, beside the cases it was asked.
 * `<folder>/coding_transcripts.json` [{id, steps}], `<folder>/coding_case.json` (MAT-Coding records), `<folder>/images/`.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { DataError } from "../core/errors.ts";
import { canonicalImage } from "../core/images.ts";
import type { LoadedTask } from "../core/task.ts";

const transcriptSchema = z.object({ id: z.int(), steps: z.array(z.string()).min(1) });
const caseSchema = z.object({
  id: z.int(),
  question: z.string(),
  answers: z.array(z.string()).min(1),
  ori_image_path: z.string(),
  processed_image_path: z.string(),
  type: z.array(z.string()).min(1),
  split: z.string(),
});

export interface RecordedEpisode {
  loaded: LoadedTask;
  steps: string[];
}

/** Reads a transcript file with its cases and images. Throws `data.*` naming file, index and field. */
export async function loadCodingTranscripts(path: string): Promise<RecordedEpisode[]> {
  const folder = dirname(path);
  const transcripts = await readList(path, transcriptSchema);
  const casesPath = join(folder, "coding_case.json");
  const cases = new Map((await readList(casesPath, caseSchema)).map((one) => [one.id, one]));
  return Promise.all(
    transcripts.map(async ({ id, steps }, index) => {
      const found = cases.get(id);
      if (found === undefined) {
        throw new DataError("data.unknown_case", `${path}: record ${index}: no case ${id} in ${casesPath}`);
      }
      // Crop items use the original image, the others the processed (damaged) one.
      const file = found.type.includes("crop") ? found.ori_image_path : found.processed_image_path;
      const imagePath = join(folder, "images", file);
      const image = await canonicalImage(await readBytes(imagePath), imagePath);
      const kind = [...found.type].sort().join("+");
      const task = {
        id: `mat-coding/${id}`,
        public: { question: found.question, images: [image.sha256] },
        private: { answers: found.answers, kind },
      };
      return { loaded: { task, images: [image] }, steps };
    }),
  );
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DataError("data.missing_file", `cannot read ${path}`, { hint: "Check the path.", cause });
  }
}

async function readList<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = (await readBytes(path)).toString("utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError("data.not_json", `${path}: not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!Array.isArray(json))
    throw new DataError("data.bad_record", `${path}: expected a list of records, got ${typeof json}`);
  return json.map((record, index) => {
    const parsed = schema.safeParse(record);
    if (parsed.success) return parsed.data;
    throw new DataError("data.bad_record", `${path}: record ${index}: ${z.prettifyError(parsed.error)}`, {
      details: { file: path, index },
    });
  });
}
