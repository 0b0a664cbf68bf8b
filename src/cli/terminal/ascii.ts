/**
 * Lines for a terminal whose locale has no UTF-8.
 */
import { displayWidth } from "./width.ts";

const PLAIN: Readonly<Record<string, string>> = {
  "█": "#",
  "░": "-",
  "▁": "_",
  "▂": ".",
  "▃": ":",
  "▄": "-",
  "▅": "=",
  "▆": "+",
  "▇": "*",
  "·": "|",
  "…": "~",
  "→": ">",
  "✓": "+",
  "✗": "x",
  "–": "-",
  "─": "-",
  "“": '"',
  "”": '"',
};

/** A locale that is not set says nothing: terminals have UTF-8 today. */
export function speaksUtf8(env: NodeJS.ProcessEnv = process.env): boolean {
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "");
  return locale === undefined || /utf-?8/i.test(locale);
}

/** The same line in ASCII, equally wide: bars and marks by what looks alike, everything else as `?`. */
export function asciiOnly(line: string): string {
  // eslint-disable-next-line no-control-regex
  return line.replace(/[^\u0000-\u007f]/gu, (point) => PLAIN[point] ?? "?".repeat(displayWidth(point)));
}
