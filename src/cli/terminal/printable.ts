/**
 * Model text on a terminal: hostile until its control characters are gone.
 */

/**
 * Replaces control characters, escape sequences' introducers and bidirectional overrides by `�`, keeps newlines and tabs.
 *
 * @example printable("a\u001b[2Jb") === "a�[2Jb"
 */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** One line of at most `width` code points. */
export function oneLine(text: string, width: number): string {
  const points = [...printable(text).replace(/\s+/g, " ").trim()];
  return points.length <= width ? points.join("") : `${points.slice(0, width - 1).join("")}…`;
}
