/**
 * rotation90 and rotation180: quarter turns, exact.
 */
import type { Pixels } from "../../core/images.ts";
import type { QuarterTurn } from "./damage.ts";

/** out[y][x] = in[from(x, y)]: `clockwise` takes row `height - 1 - x`, column `y`; `half` the opposite pixel. Width and height swap on quarter turns. */
export function rotate({ width, height, rgb }: Pixels, turn: QuarterTurn | "half"): Pixels {
  const out = new Uint8Array(rgb.length);
  const [outWidth, outHeight] = turn === "half" ? [width, height] : [height, width];
  // Source index of out[0][0], and how it moves with x and with y.
  const [start, alongX, alongY] = {
    clockwise: [(height - 1) * width, -width, 1],
    counterclockwise: [width - 1, width, -1],
    half: [width * height - 1, -1, -width],
  }[turn] as [number, number, number];
  let to = 0;
  for (let y = 0; y < outHeight; y++) {
    let from = (start + y * alongY) * 3;
    for (let x = 0; x < outWidth; x++) {
      out[to++] = rgb[from]!;
      out[to++] = rgb[from + 1]!;
      out[to++] = rgb[from + 2]!;
      from += alongX * 3;
    }
  }
  return { width: outWidth, height: outHeight, rgb: out };
}
