/**
 * Reads the records of a run that count: uncommitted ones before a `resume` are left out.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import { DataError } from "../core/errors.ts";
import { RECORD_KINDS, RECORD_VERSION, recordSchema, type RunRecord, type StepCommitted } from "../core/records.ts";

/** Every record of the file in order. Throws `data.bad_record` naming file and line; `data.record_version` for a newer major version. */
export async function* readAllRecords(path: string): AsyncGenerator<RunRecord> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  let line = 0;
  for await (const text of lines) {
    line++;
    if (text === "") continue;
    const record = parseRecord(text, path, line);
    if (record !== null) yield record;
  }
}

/** Null for a kind that a newer program has added. */
function parseRecord(text: string, path: string, line: number): RunRecord | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError("data.bad_record", `${path}:${line}: not JSON: ${(cause as Error).message}`, {
      hint: "A run folder is append-only; restore the file from a backup.",
      cause,
    });
  }
  const version = (json as { version?: unknown }).version;
  if (version !== RECORD_VERSION) {
    throw new DataError(
      "data.record_version",
      `${path}:${line}: record version ${String(version)}, this program reads ${RECORD_VERSION}`,
      {
        hint: "Read it with the version of visual-arft that wrote it.",
      },
    );
  }
  const { kind } = json as { kind?: unknown };
  if (typeof kind === "string" && !RECORD_KINDS.has(kind)) return null;
  const parsed = recordSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new DataError("data.bad_record", `${path}:${line}: ${z.prettifyError(parsed.error)}`);
}

/** The records that count, in order; with the last committed step, null before the first. */
export async function readRecords(path: string): Promise<{ records: RunRecord[]; committed: StepCommitted | null }> {
  let records: RunRecord[] = [];
  let committed: StepCommitted | null = null;
  for await (const record of readAllRecords(path)) {
    if (record.kind === "resume") records = records.filter((earlier) => !isUndone(earlier, record.fromStep));
    if (record.kind === "step_committed") committed = record;
    records.push(record);
  }
  return { records, committed };
}

/** Prompts are content-addressed and stay; everything that belongs to a step >= `fromStep` goes. */
function isUndone(record: RunRecord, fromStep: number): boolean {
  if (record.kind === "prompt" || record.kind === "resume") return false;
  const step = record.kind === "score" ? Number(record.rolloutId.split("/", 1)[0]) : record.step;
  return step >= fromStep;
}
