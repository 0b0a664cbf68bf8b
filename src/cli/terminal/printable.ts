/**
 * Model text on a terminal: hostile until its control characters are gone.
 */
import { fit } from "./width.ts";

/**
 * Replaces control characters, escape sequences' introducers and bidirectional overrides by `�`, keeps newlines and tabs.
 *
 * @example printable("a\u001b[2Jb") === "a�[2Jb"
 */
export function printable(text: string): string {
  return text.replace(
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    "\ufffd",
  );
}

/** One line of at most `width` columns. */
export function oneLine(text: string, width: number): string {
  return fit(printable(text.trim()).replace(/\s+/g, " "), width);
}

/** The first lines of a source file, indented as written; a line says how many are left out. */
export function sourceLines(source: string, most: number): string[] {
  const lines = printable(source.trimEnd().replace(/\r\n/g, "\n")).replaceAll("\t", "    ").split("\n");
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), `… ${lines.length - most + 1} more lines`];
}
