/**
 * MAT's answer normalisation: lower-case, punctuation deleted, the words a/an/the deleted, spaces collapsed;
 * text that holds Chinese drops all spaces instead (the coding benchmark's rule).
 */
const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/g;
const CHINESE_PUNCTUATION = /[\u3000-\u303f\uff00-\uffef\u2018\u2019\u201c\u201d\u2026\u2014\u00b7]/g;
/** JavaScript's \b knows ASCII letters only. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;
const CHINESE = /[\u4e00-\u9fff]/;

/** `normaliseAnswer("The  Cat!") === "cat"` */
export function normaliseAnswer(text: string): string {
  const bare = text.toLowerCase().replace(ASCII_PUNCTUATION, "").replace(CHINESE_PUNCTUATION, "");
  if (CHINESE.test(bare)) return bare.replace(/\s+/g, "");
  return bare.replace(ARTICLES, " ").trim().split(/\s+/).join(" ");
}
