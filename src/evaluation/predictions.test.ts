import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadPredictions, type Prediction } from "./predictions.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-predictions-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function loaded(records: unknown): Promise<Prediction[]> {
  const path = join(folder, "7b.json");
  await writeFile(path, JSON.stringify(records));
  return loadPredictions(path);
}

it("reads one or several gold answers, a null answer, an empty gold answer, and records without id or query", async () => {
  expect(
    await loaded([
      { id: 3, pred_answer: "x", gt: ["a", "b"], extra: true },
      { id: "dev_0", pred_answer: null, gt: "", query: "q?" },
      { pred_answer: "", gt: "c" },
      { id: null, pred_answer: "y", gt: "c" },
    ]),
  ).toEqual([
    { id: 3, answer: "x", golds: ["a", "b"], query: null },
    { id: "dev_0", answer: null, golds: [""], query: "q?" },
    { id: null, answer: "", golds: ["c"], query: null },
    { id: null, answer: "y", golds: ["c"], query: null },
  ]);
});

it.each([
  ["pred_answer", { gt: "a" }],
  ["pred_answer", { pred_answer: 5, gt: "a" }],
  ["gt", { pred_answer: "a" }],
  ["gt", { pred_answer: "a", gt: [] }],
  ["gt", { pred_answer: "a", gt: null }],
  ["id", { id: 1.5, pred_answer: "a", gt: "a" }],
  ["id", { id: 7, pred_answer: "a", gt: "a" }],
  ["query", { pred_answer: "a", gt: "a", query: ["q"] }],
])("a bad %s is named with file and index: %j", async (field, record) => {
  await expect(loaded([{ id: 7, pred_answer: "a", gt: "a" }, record])).rejects.toMatchObject({
    code: "data.bad_record",
    message: expect.stringMatching(new RegExp(`7b\\.json: record 1:[^]*${field}`)) as string,
    details: { index: 1, field },
  });
});
