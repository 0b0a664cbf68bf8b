import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { deathError, logTail } from "./death.ts";

let folder: string;
let logFile: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "varft-death-"));
  logFile = join(folder, "engine.log");
  writeFileSync(logFile, "an earlier life\n");
});
afterEach(() => rmSync(folder, { recursive: true }));

it("quotes this life's last lines, without terminal escapes", () => {
  const offset = statSync(logFile).size;
  appendFileSync(logFile, "one\n\u001b[31mtwo\u0007\r\n");
  expect(logTail(logFile, offset)).toEqual(["one", " [31mtwo "]);
  expect(logTail(join(folder, "absent"), 0)).toEqual([]);
});

it("quotes a bounded part of a long log", () => {
  appendFileSync(logFile, `${"x".repeat(100)}\n`.repeat(10_000));
  const lines = logTail(logFile, 0);
  expect(lines).toHaveLength(20);
  expect(lines.join("")).not.toContain("earlier");
});

it("explains SIGKILL by memory, and any other end by the log", () => {
  const killed = deathError({ code: null, signal: "SIGKILL", logFile, logOffset: 0 });
  expect(killed).toMatchObject({ code: "engine.died", retryable: true, exitCode: 4 });
  expect(killed.hint).toMatch(/out-of-memory.*maxTokensPerMicrobatch/);
  const crashed = deathError({ code: 1, signal: null, logFile, logOffset: 0 });
  expect(crashed.message).toBe("the engine worker ended with exit code 1; its last log line: an earlier life");
  expect(crashed.hint).toContain(logFile);
  expect(crashed.details).toEqual({ exitCode: 1, signal: null, logFile, lastLogLines: ["an earlier life"] });
});
