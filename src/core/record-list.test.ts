import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { readRecordList } from "./record-list.ts";

const schema = z.object({ name: z.string(), tags: z.array(z.string()) });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-records-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function reading(text: string): Promise<unknown> {
  const path = join(folder, "list.json");
  await writeFile(path, text);
  return readRecordList(path, schema);
}

it("reads the records and leaves out fields that it does not know", async () => {
  expect(await reading('[{"name": "a", "tags": ["x"], "more": 1}]')).toEqual([{ name: "a", tags: ["x"] }]);
});

it.each([
  ["[", "data.not_json", /list\.json: not JSON/, undefined],
  ["null", "data.bad_record", /list\.json: expected a list of records, got null/, undefined],
  ['{"name": "a"}', "data.bad_record", /expected a list of records, got one object/, undefined],
  [
    '[{"name": "a", "tags": []}, {"name": "b", "tags": ["x", 5]}]',
    "data.bad_record",
    /record 1:[^]*tags\[1\]/,
    "tags.1",
  ],
  ['["a"]', "data.bad_record", /record 0:[^]*expected object/, ""],
])("%s: %s", async (text, code, message, field) => {
  const error: unknown = await reading(text).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
  expect((error as { details: { field?: string } }).details.field).toBe(field);
});

it("names a file that is not there", async () => {
  await expect(readRecordList(join(folder, "none.json"), schema)).rejects.toMatchObject({
    code: "data.missing_file",
    message: expect.stringContaining("none.json") as string,
  });
});
