/**
 * The clean image of a task: three digits in one dark colour on a light ground, above an underline that says which way is up (6 and 9).
 */
import type { Pixels } from "../../core/images.ts";
import type { SeededStream } from "../../core/seeds.ts";
import { GLYPH_HEIGHT, GLYPH_WIDTH, GLYPHS } from "./glyphs.ts";

/** Side of the square image, pixels. */
export const SIDE = 64;

/** Empty pixels kept at every edge. */
const MARGIN = 3;

type Colour = readonly [number, number, number];

/** Where the drawing's choices come from: uniform in [0, 1), or integers with both ends included. */
export type Draws = Pick<SeededStream, "next" | "integer">;

/** Draws `number` (digits 0..9) at a random place, in a random size, weight and colours. */
export function drawNumber(number: string, stream: Draws): Pixels {
  const colour = (low: number, high: number): Colour => [
    stream.integer(low, high),
    stream.integer(low, high),
    stream.integer(low, high),
  ];
  const ground = colour(170, 255);
  const ink = colour(0, 90);
  const height = stream.integer(18, 22);
  const half = height * (0.075 + 0.025 * stream.next());
  const scale = height / GLYPH_HEIGHT;
  const advance = scale * GLYPH_WIDTH + height * 0.26;
  const width = advance * (number.length - 1) + scale * GLYPH_WIDTH;
  const below = height * 0.3;
  const reach = half + MARGIN;
  const left = reach + Math.floor(stream.next() * (SIDE - 2 * reach - width));
  const top = reach + Math.floor(stream.next() * (SIDE - 2 * reach - height - below));

  const coverage = new Float64Array(SIDE * SIDE);
  for (const [index, digit] of [...number].entries()) {
    const from = left + index * advance;
    const segments = GLYPHS[Number(digit)]!;
    for (let at = 0; at < segments.length; at += 4) {
      const [x0, y0, x1, y1] = [segments[at]!, segments[at + 1]!, segments[at + 2]!, segments[at + 3]!];
      stroke(coverage, from + x0 * scale, top + y0 * scale, from + x1 * scale, top + y1 * scale, half);
    }
  }
  const line = top + height + below;
  stroke(coverage, left, line, left + width, line, half);
  return mix(coverage, ground, ink);
}

/** Covers pixels whose centre is nearer than `half` to the segment, with a ramp of one pixel at the edge. */
function stroke(coverage: Float64Array, x0: number, y0: number, x1: number, y1: number, half: number): void {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const lengthSquared = dx * dx + dy * dy;
  const reach = half + 1;
  const lastRow = Math.min(SIDE - 1, Math.floor(Math.max(y0, y1) + reach));
  const lastColumn = Math.min(SIDE - 1, Math.floor(Math.max(x0, x1) + reach));
  for (let row = Math.max(0, Math.floor(Math.min(y0, y1) - reach)); row <= lastRow; row++) {
    for (let column = Math.max(0, Math.floor(Math.min(x0, x1) - reach)); column <= lastColumn; column++) {
      const [x, y] = [column + 0.5 - x0, row + 0.5 - y0];
      const along = Math.min(1, Math.max(0, (x * dx + y * dy) / lengthSquared));
      const [offX, offY] = [x - along * dx, y - along * dy];
      const covered = Math.min(1, half + 0.5 - Math.sqrt(offX * offX + offY * offY));
      const at = row * SIDE + column;
      if (covered > coverage[at]!) coverage[at] = covered;
    }
  }
}

/** round(ground + coverage * (ink - ground)). */
function mix(coverage: Float64Array, ground: Colour, ink: Colour): Pixels {
  const rgb = new Uint8Array(SIDE * SIDE * 3);
  for (let at = 0; at < coverage.length; at++) {
    for (let channel = 0; channel < 3; channel++) {
      const from = ground[channel]!;
      rgb[at * 3 + channel] = Math.round(from + coverage[at]! * (ink[channel]! - from));
    }
  }
  return { width: SIDE, height: SIDE, rgb };
}

/**
 * The same choices drawn together around their middle: `variety` 0 is always the middle, 1 is `stream` itself.
 * A model that cannot read yet finds out what digits look like from numbers that all stand in one place.
 */
export function calmed(stream: SeededStream, variety: number): Draws {
  if (variety === 1) return stream;
  const next = (): number => 0.5 + (stream.next() - 0.5) * variety;
  return { next, integer: (low, high) => low + Math.floor(next() * (high - low + 1)) };
}
