import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { jsonListElements } from "./json-list.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-json-list-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function elementsOf(text: string): Promise<string[]> {
  const path = join(folder, "list.json");
  await writeFile(path, text);
  const elements: string[] = [];
  for await (const element of jsonListElements(path)) elements.push(element);
  return elements;
}

it("gives what JSON.parse gives, for any list, indented or not", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), fc.constantFrom(0, 1, "\t"), async (list, indent) => {
      const elements = await elementsOf(JSON.stringify(list, null, indent));
      expect(elements.map((text) => JSON.parse(text) as unknown)).toEqual(JSON.parse(JSON.stringify(list)));
    }),
    { numRuns: 60 },
  );
});

it("crosses the chunks of a long file", async () => {
  const list = Array.from({ length: 3000 }, (_, index) => ({
    index,
    text: `a "quoted" ]},{[ 图 \\ ${"x".repeat(60)}`,
  }));
  const elements = await elementsOf(JSON.stringify(list));
  expect(elements.map((text) => JSON.parse(text) as unknown)).toEqual(list);
});

it("leaves a broken element to its reader", async () => {
  expect(await elementsOf('[{"a": 1}, {"a": nope}, {"a": 3}]')).toEqual(['{"a": 1}', '{"a": nope}', '{"a": 3}']);
  expect(await elementsOf("[1,]")).toEqual(["1", ""]);
  expect(await elementsOf(" \u{feff}[ ] \n")).toEqual([]);
});

it.each([
  ['{"a": 1}', "expected a list of records, got text beginning {"],
  ["", "empty file"],
  ['[{"a": 1}, {"b": [', "ends inside the list, at record 1"],
  ['[{"a": "never closed}]', "ends inside the list, at record 0"],
  ["[1] [2]", "after the list"],
])("refuses %j", async (text, problem) => {
  await expect(elementsOf(text)).rejects.toMatchObject({
    code: "data.not_json",
    message: expect.stringContaining(problem) as string,
  });
});

it("names a missing file", async () => {
  const reading = (async () => {
    for await (const element of jsonListElements(join(folder, "none.json"))) expect(element).toBe("");
  })();
  await expect(reading).rejects.toMatchObject({ code: "data.missing_file" });
});
