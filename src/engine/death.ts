/**
 * What an ended worker says about itself: exit code, signal, the last lines of its log.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { EngineError } from "../core/errors.ts";

const TAIL_BYTES = 16_384;
const TAIL_LINES = 20;

/** The last lines written to the log since `offset`, without control characters: what a model wrote may stand in them. */
export function logTail(logFile: string, offset: number): string[] {
  let file: number;
  try {
    file = openSync(logFile, "r");
  } catch {
    return [];
  }
  try {
    const end = fstatSync(file).size;
    const start = Math.max(offset, end - TAIL_BYTES);
    const buffer = Buffer.alloc(Math.max(0, end - start));
    const size = readSync(file, buffer, 0, buffer.length, start);
    const lines = buffer.toString("utf8", 0, size).trimEnd().split("\n").slice(-TAIL_LINES);
    return lines.map((line) => line.replace(/\p{Cc}/gu, " ").slice(0, 500));
  } finally {
    closeSync(file);
  }
}

export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  logFile: string;
  /** Size of the log when this life began. */
  logOffset: number;
}

/** `engine.died`, for a worker that ended without being told to. */
export function deathError({ code, signal, logFile, logOffset }: Death): EngineError {
  const lines = logTail(logFile, logOffset);
  const details = { exitCode: code, signal, logFile, lastLogLines: lines };
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  // Nothing else sends SIGKILL by itself; a person who did knows it.
  const hint =
    signal === "SIGKILL"
      ? "The kernel's out-of-memory killer ends processes this way (see `dmesg`): lower maxTokensPerMicrobatch, the pixel limit or the number of rollouts at once, or choose bfloat16."
      : `Read ${logFile}; then start again from the last committed checkpoint.`;
  const last = lines.at(-1);
  const said = last === undefined || last === "" ? "" : `; its last log line: ${last}`;
  return new EngineError("engine.died", `the engine worker ended ${how}${said}`, { hint, details, retryable: true });
}
