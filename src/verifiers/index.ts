/**
 * The built-in verifiers by the name that recipes use. A new one: a file beside this one, and a line here.
 */
import { accuracy } from "./accuracy.ts";
import { codeExecuted } from "./code-executed.ts";
import { exactMatch } from "./exact-match.ts";
import { f1 } from "./f1.ts";
import { format } from "./format.ts";
import { judge } from "./judge.ts";
import { mathsEqualVerifier } from "./maths-equal.ts";
import { multipleChoice } from "./multiple-choice.ts";
import { repeatedCalls } from "./repeated-calls.ts";
import { restoration } from "./restoration.ts";
import { searchSimilarity } from "./search-similarity.ts";
import { toolSuccess } from "./tool-success.ts";
import { toolUseWhenRight } from "./tool-use-when-right.ts";
import type { Verifier } from "./verifier.ts";

const ALL = [
  format,
  accuracy,
  exactMatch,
  f1,
  mathsEqualVerifier,
  multipleChoice,
  searchSimilarity,
  codeExecuted,
  restoration,
  toolSuccess,
  repeatedCalls,
  toolUseWhenRight,
  judge,
];

export const VERIFIERS: Readonly<Record<string, Verifier>> = Object.fromEntries(
  ALL.map((verifier) => [verifier.name, verifier]),
);
