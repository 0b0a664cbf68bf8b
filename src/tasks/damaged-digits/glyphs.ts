/**
 * Digits as strokes, so that no system font decides what a task looks like: Bezier curves in a box of 10 x 16, y downwards.
 * Flattened by sums and products alone, hence the same points everywhere.
 */

/** Size of the box that every glyph's centre line fills. */
export const GLYPH_WIDTH = 10;
export const GLYPH_HEIGHT = 16;

/** Segments that one curve becomes. */
const SEGMENTS = 10;

/** `M x y` starts a stroke, `L x y` draws a line, `C x y x y x y` a cubic. 9 is 6 turned by 180 degrees. */
const SIX =
  "M 8.8 0.6 C 3.6 1 0 5.4 0 11 C 0 13.8 2.2 16 5 16 C 7.8 16 10 13.8 10 11 C 10 8.2 7.8 6 5 6 C 2.2 6 0 8.2 0 11";
const PATHS: readonly string[] = [
  "M 5 0 C 8 0 10 3 10 8 C 10 13 8 16 5 16 C 2 16 0 13 0 8 C 0 3 2 0 5 0",
  "M 1.8 3.4 L 6 0 L 6 16",
  "M 0.4 4.4 C 0.4 1.6 2.4 0 5 0 C 7.8 0 9.6 1.8 9.6 4.4 C 9.6 8 3 11.4 0.2 16 L 10 16",
  "M 0.8 2.6 C 1.6 1 3 0 5 0 C 7.6 0 9.4 1.6 9.4 3.9 C 9.4 6.2 7.4 7.5 4.4 7.5 C 8 7.5 10 9.2 10 11.7 C 10 14.3 8 16 5 16 C 2.6 16 0.9 15 0 13.2",
  "M 7.6 16 L 7.6 0 L 0 11.4 L 10 11.4",
  "M 9.2 0 L 1.8 0 L 1 7.4 C 2 6.4 3.4 5.9 5 5.9 C 8 5.9 10 7.9 10 10.9 C 10 14 8 16 4.9 16 C 2.6 16 0.9 15.1 0 13.6",
  SIX,
  "M 0 0 L 10 0 C 7 4.6 4.6 10 4 16",
  "M 5 7.5 C 2.4 7.5 0.7 6 0.7 3.8 C 0.7 1.6 2.4 0 5 0 C 7.6 0 9.3 1.6 9.3 3.8 C 9.3 6 7.6 7.5 5 7.5 C 2 7.5 0 9.2 0 11.7 C 0 14.3 2 16 5 16 C 8 16 10 14.3 10 11.7 C 10 9.2 8 7.5 5 7.5",
  SIX,
];

/** Centre line of each digit as line segments `[x0, y0, x1, y1, ...]` in glyph units. */
export const GLYPHS: readonly Float64Array[] = PATHS.map((path, digit) => {
  const segments = flatten(path);
  if (digit !== 9) return segments;
  return segments.map((value, index) => (index % 2 === 0 ? GLYPH_WIDTH : GLYPH_HEIGHT) - value);
});

function flatten(path: string): Float64Array {
  const segments: number[] = [];
  let [x, y] = [0, 0];
  const lineTo = (toX: number, toY: number): void => {
    segments.push(x, y, toX, toY);
    [x, y] = [toX, toY];
  };
  for (const command of path.split(/ (?=[MLC])/)) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = command.slice(2).split(" ").map(Number);
    if (command.startsWith("M")) [x, y] = [a, b];
    else if (command.startsWith("L")) lineTo(a, b);
    else {
      const [fromX, fromY] = [x, y];
      for (let step = 1; step <= SEGMENTS; step++) {
        const t = step / SEGMENTS;
        const u = 1 - t;
        const [p, q, r, s] = [u * u * u, 3 * t * u * u, 3 * t * t * u, t * t * t];
        lineTo(p * fromX + q * a + r * c + s * e, p * fromY + q * b + r * d + s * f);
      }
    }
  }
  return Float64Array.from(segments);
}
