/**
 * `boxes: question-pixels`: the reference rewrites every 2-D slice of a crop snippet to the question's box in pixels,
 * since models emit the question's normalised numbers or a guess of their own.
 */

export type Boxes = "as-written" | "question-pixels";

/** The question's first `[x_min, y_min, x_max, y_max]`, normalised 0..1000; null when it has none. */
export function boxOf(question: string): [number, number, number, number] | null {
  const match = /\[\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*\]/.exec(question);
  if (match === null) return null;
  const [, x0, y0, x1, y1] = match;
  return [Number(x0), Number(y0), Number(x1), Number(y1)];
}

/**
 * Pixel box = trunc(box / 1000 * size), then each `[a:b, c:d]` of the source becomes `[y_min:y_max, x_min:x_max]`.
 *
 * @example rewriteBoxes("image[1:2, 3:4]", "the [366, 723, 506, 851]", {width: 500, height: 332}) === "image[240:282, 183:253]"
 */
export function rewriteBoxes(source: string, question: string, size: { width: number; height: number }): string {
  const box = boxOf(question);
  if (box === null) return source;
  const [x0, y0, x1, y1] = box.map((value, index) =>
    Math.trunc((value * (index % 2 === 0 ? size.width : size.height)) / 1000),
  );
  return source.replace(/\[[^[\]:,]*:[^[\]:,]*,[^[\]:,]*:[^[\]:,]*\]/g, `[${y0}:${y1}, ${x0}:${x1}]`);
}
