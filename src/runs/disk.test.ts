import { lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeFileAtomic } from "./disk.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "varft-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("an atomic write replaces a file, makes folders and leaves nothing beside it", async () => {
  writeFileSync(join(folder, "a"), "old");
  await writeFileAtomic(join(folder, "a"), "new");
  await writeFileAtomic(join(folder, "deeper", "b"), "first");
  expect(readFileSync(join(folder, "a"), "utf8")).toBe("new");
  expect(readFileSync(join(folder, "deeper", "b"), "utf8")).toBe("first");
  expect(readdirSync(folder).toSorted()).toEqual(["a", "deeper"]);
});

test("a device is never replaced by a file", async () => {
  symlinkSync("/dev/null", join(folder, "null"));
  await expect(writeFileAtomic(join(folder, "null"), "text")).rejects.toMatchObject({ code: "data.cannot_write" });
  expect(lstatSync(join(folder, "null")).isSymbolicLink()).toBe(true);
  expect(readdirSync(folder)).toEqual(["null"]);
});
