/**
 * Numbers as they are written, compared digit by digit: no rounding makes two long ones equal.
 */

const WRITTEN = /\d+(?:,\d{3})*(?:\.\d+)?/g;

/** `"1,200.50"` -> `"1200.5"`, `"-0"` -> `"0"`; null for anything but one decimal number. */
export function canonicalDecimal(text: string): string | null {
  const match = /^([-+]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d*))?$/.exec(text.trim());
  if (match === null) return null;
  const whole = (match[2] ?? "").replaceAll(",", "").replace(/^0+(?=\d)/, "");
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  const digits = fraction === "" ? whole : `${whole}.${fraction}`;
  return match[1] === "-" && digits !== "0" ? `-${digits}` : digits;
}

/** True when some number stands in both texts: what the reference's whole-completion comparison comes down to. */
export function sharedNumber(text: string, gold: string): boolean {
  const numbersOf = (from: string): (string | null)[] =>
    [...from.matchAll(WRITTEN)].map(([found]) => canonicalDecimal(found));
  const golds = new Set(numbersOf(gold));
  golds.delete(null);
  return golds.size > 0 && numbersOf(text).some((found) => found !== null && golds.has(found));
}
