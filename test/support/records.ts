/**
 * Records of a run as two identical runs share them: without wall-clock seconds, and without the lines that say a run was resumed.
 */
import { join } from "node:path";
import { readRecords } from "../../src/runs/read.ts";

function withoutSeconds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSeconds);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "seconds")
      .map(([key, inner]) => [key, withoutSeconds(inner)]),
  );
}

/** Canonical JSON lines of everything that counts. Prompts are a set: a resumed run may meet them in another order. */
export async function canonicalRecords(run: string): Promise<string[]> {
  const { records } = await readRecords(join(run, "records.jsonl"));
  const lines = records
    .filter((record) => record.kind !== "resume")
    .map((record) => JSON.stringify(withoutSeconds(record)));
  const isPrompt = (line: string): boolean => line.includes('"kind":"prompt"');
  return [...lines.filter((line) => !isPrompt(line)), ...lines.filter(isPrompt).sort()];
}
