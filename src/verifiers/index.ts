/**
 * The built-in verifiers by the name that recipes use. A new one: a file beside this one, and a line here.
 */
import { codeExecuted } from "./code-executed.ts";
import { exactMatch } from "./exact-match.ts";
import { f1 } from "./f1.ts";
import { format } from "./format.ts";
import { restoration } from "./restoration.ts";
import { toolUseWhenRight } from "./tool-use-when-right.ts";
import type { Verifier } from "./verifier.ts";

export const VERIFIERS: Readonly<Record<string, Verifier>> = Object.fromEntries(
  [format, exactMatch, f1, codeExecuted, restoration, toolUseWhenRight].map((verifier) => [verifier.name, verifier]),
);
