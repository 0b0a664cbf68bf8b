/**
 * Prediction files: what a model answered to each question of a benchmark, a JSON list of
 * `{id?, pred_answer: string | null, gt: string | string[], query?}`.
 */
import { z } from "zod";
import { badRecord, readRecordList } from "../core/record-list.ts";

const fileSchema = z.object({
  id: z.union([z.int(), z.string().min(1)]).nullish(),
  pred_answer: z.string().nullable(),
  gt: z.union([z.string(), z.array(z.string()).min(1)]),
  query: z.string().nullish(),
});

export interface Prediction {
  /** The benchmark's number or name of the case; null where the file gives none and position stands for it. */
  id: number | string | null;
  /** Null when the model gave no answer. */
  answer: string | null;
  /** Accepted answers; any one is right. An empty text is kept: one published record has it. */
  golds: string[];
  query: string | null;
}

/** Reads a prediction file, in order. Throws `data.*` naming file, index and field; an id that comes twice is `data.bad_record`. */
export async function loadPredictions(path: string): Promise<Prediction[]> {
  const records = await readRecordList(path, fileSchema);
  const seen = new Map<number | string, number>();
  return records.map(({ id = null, pred_answer: answer, gt, query = null }, index) => {
    if (id !== null) {
      const first = seen.get(id);
      if (first !== undefined) throw badRecord(path, index, "id", `id ${id} is record ${first}'s already`);
      seen.set(id, index);
    }
    return { id, answer, golds: typeof gt === "string" ? [gt] : gt, query };
  });
}
