/**
 * MAT's answer normalisation, the one that every rule of matching uses.
 */

/** Whose rules: MAT-Coding's know Chinese, those of MAT-Search and the multi-hop sets do not. */
export type MatVariant = "coding" | "search";

const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/g;
/** Middle dots, dashes, quotes, ellipsis; marks and brackets of the CJK block; full-width forms of ASCII punctuation, not of letters or digits. */
const CHINESE_PUNCTUATION =
  /[\u00b7\u2013\u2014\u2018-\u201f\u2026\u2027\u3000-\u3003\u3008-\u3011\u3014-\u301f\u3030\u303e\u303f\ufe4f\ufe51\ufe54\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]/g;
/** JavaScript's \b knows ASCII letters only. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;
const CHINESE = /[\u4e00-\u9fff]/;

/** True when the text has a character of the main block of Chinese, U+4E00 to U+9FFF. */
export function holdsChinese(text: string): boolean {
  return CHINESE.test(text);
}

/**
 * Lower-case, ASCII punctuation deleted (coding: and Chinese punctuation), the words a/an/the deleted, white space collapsed.
 * Coding text that holds Chinese drops its spaces instead of the last two: articles inside it and line breaks stay, without which
 * the published rows do not come out.
 *
 * @example
 * normaliseAnswer("The  Cat!", "search") === "cat"
 * normaliseAnswer("发票 号码：42", "coding") === "发票号码42"
 */
export function normaliseAnswer(text: string, variant: MatVariant): string {
  const lower = text.toLowerCase().replace(ASCII_PUNCTUATION, "");
  const bare = variant === "coding" ? lower.replace(CHINESE_PUNCTUATION, "") : lower;
  if (variant === "coding" && holdsChinese(bare)) return bare.replaceAll(" ", "");
  return bare.replace(ARTICLES, " ").trim().split(/\s+/).join(" ");
}
