/**
 * How many columns text takes on a terminal, and cutting it to fit. Styled text counts as if it were plain.
 */

/** Two columns: East Asian wide and full-width blocks, and emoji. A block's unassigned points are wide too. */
const WIDE =
  /[\u{1100}-\u{115f}\u{2329}\u{232a}\u{2630}-\u{2637}\u{268a}-\u{268f}\u{2e80}-\u{303e}\u{3041}-\u{a4cf}\u{a960}-\u{a97f}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe10}-\u{fe1f}\u{fe30}-\u{fe6f}\u{ff01}-\u{ff60}\u{ffe0}-\u{ffe6}\u{16fe0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f18e}-\u{1f19a}\u{1f200}-\u{1f320}\u{1f900}-\u{1f9ff}\u{1fa70}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}\p{Emoji_Modifier_Base}]/u;
/** Drawn over the character before. U+FE0F is none of them: it widens a character by one column. */
const MARK = /(?!\ufe0f)[\p{Mn}\p{Me}]/u;
/** What `style` writes. */
// eslint-disable-next-line no-control-regex
const STYLE = /\u001b\[[0-9;]*m/g;
// eslint-disable-next-line no-control-regex
const PIECE = /\u001b\[[0-9;]*m|[^]/gu;
/** More marks than this on one character are an attack on the line, not a script. */
const MOST_MARKS = 2;

function columnsOf(point: string): number {
  if (point < "\u0300") return 1;
  return WIDE.test(point) ? 2 : MARK.test(point) ? 0 : 1;
}

/**
 * Columns that one line of printable text takes: never fewer than a terminal uses, since a line that wraps breaks the live view.
 *
 * @example displayWidth("发票 a") === 6
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const point of text.replace(STYLE, "")) width += columnsOf(point);
  return width;
}

/** One line of at most `width` columns; what does not fit is replaced by `…`. Styles stay closed. */
export function fit(text: string, width: number): string {
  if (width < 1) return "";
  const limit = displayWidth(text) <= width ? width : width - 1;
  let used = 0;
  let marks = 0;
  let cut = false;
  let fitted = "";
  for (const [piece] of text.matchAll(PIECE)) {
    if (piece.startsWith("\u001b[")) {
      fitted += piece;
      continue;
    }
    if (cut) continue;
    const columns = columnsOf(piece);
    marks = columns === 0 ? marks + 1 : 0;
    if (marks > MOST_MARKS) continue;
    used += columns;
    cut = used > limit;
    fitted += cut ? "…" : piece;
  }
  return fitted;
}

/** Cut or filled up with blanks to exactly `width` columns. */
export function pad(text: string, width: number): string {
  const fitted = fit(text, width);
  return fitted + " ".repeat(Math.max(0, width - displayWidth(fitted)));
}
