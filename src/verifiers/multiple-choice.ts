/**
 * 1 when the final answer chooses the gold letter: `B`, `(B)`, `B.`, `B) a red car`, `answer: B`, or the gold's text alone where it has
 * one. A letter that comes with another text than the gold's is wrong. Null where no gold answer is a choice.
 */
import { normaliseAnswer } from "./matching/normalise.ts";
import { defineVerifier } from "./verifier.ts";

export interface Choice {
  /** `A` to `Z`. */
  letter: string;
  /** What stands behind it, normalised; "" for a letter alone. */
  text: string;
}

const LEAD = /^(?:(?:the\s+)?(?:(?:correct|right|final|best)\s+)?(?:answer|option|choice)\s*(?:is\b\s*:?|[:=])?\s*)+/i;
/** Lower case counts where a mark stands beside it, so that the article `a` is no choice. */
const BARE = /^(?:\(([A-Za-z])\)|\[([A-Za-z])\]|([A-Za-z])[.):]|([A-Z]))(?=[.:,]*(?:\s|$))[.:,)-]*\s*/;

/** A second letter right behind the first: `A or B`, `(A), (B)`. */
const ANOTHER = /^(?:(?:or|and|,|\/|&)\s*\(?[A-Za-z]\)?|\(?[A-Z]\))(?:[.,\s]|$)/;

/** Null for a text that names no letter, or more than one. */
export function readChoice(answer: string): Choice | null {
  if (answer.length > 1000) return null;
  const rest = answer.trim().replace(LEAD, "").replaceAll("**", "").trim();
  const match = BARE.exec(/^[a-z]$/.test(rest) ? rest.toUpperCase() : rest);
  const letter = match?.slice(1).find((group) => group !== undefined);
  if (match === null || letter === undefined) return null;
  const after = rest.slice(match[0].length).trim();
  if (ANOTHER.test(after)) return null;
  return { letter: letter.toUpperCase(), text: normaliseAnswer(after, "search") };
}

export const multipleChoice = defineVerifier({
  name: "multiple_choice",
  score({ answer }, task) {
    const golds = task.private.answers.flatMap((gold) => readChoice(gold) ?? []);
    if (golds.length === 0) return { score: null, detail: {} };
    if (answer === null) return { score: 0, detail: { chosen: null } };
    const chosen = readChoice(answer);
    const right = golds.some((gold) => {
      if (chosen === null) return gold.text !== "" && normaliseAnswer(answer, "search") === gold.text;
      const sameText = gold.text === "" || chosen.text === "" || gold.text === chosen.text;
      return gold.letter === chosen.letter && sameText;
    });
    return { score: right ? 1 : 0, detail: { chosen, golds: golds.map(({ letter }) => letter) } };
  },
});
