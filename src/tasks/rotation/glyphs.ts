/**
 * Digits as 5 x 7 bitmaps, so that no system font decides what a task looks like. 1 is ink.
 */
const ROWS = [
  "01110 00100 01110 11111 00010 11111 00110 11111 01110 01110",
  "10001 01100 10001 00010 00110 10000 01000 00001 10001 10001",
  "10011 00100 00001 00100 01010 11110 10000 00010 10001 10001",
  "10101 00100 00010 00010 10010 00001 11110 00100 01110 01111",
  "11001 00100 00100 00001 11111 00001 10001 01000 10001 00001",
  "10001 00100 01000 10001 00010 10001 10001 01000 10001 00010",
  "01110 01110 11111 01110 00010 01110 01110 01000 01110 01100",
].map((row) => row.split(" "));

export const GLYPH_WIDTH = 5;
export const GLYPH_HEIGHT = 7;

/** True where the digit (0..9) has ink at column x (0..4), row y (0..6). */
export function hasInk(digit: number, x: number, y: number): boolean {
  return ROWS[y]?.[digit]?.[x] === "1";
}
