/**
 * dark and overexposure: one scale towards black, or towards white.
 */
import type { Pixels } from "../../core/images.ts";

/** v' = round(factor * v). */
export function darken(pixels: Pixels, factor: number): Pixels {
  return throughTable(pixels, (value) => factor * value);
}

/** v' = round(255 - factor * (255 - v)): dark, on the inverse image. */
export function overexpose(pixels: Pixels, factor: number): Pixels {
  return throughTable(pixels, (value) => 255 - factor * (255 - value));
}

function throughTable({ width, height, rgb }: Pixels, f: (value: number) => number): Pixels {
  const table = Uint8Array.from({ length: 256 }, (_, value) => Math.round(f(value)));
  const out = new Uint8Array(rgb.length);
  for (let index = 0; index < rgb.length; index++) out[index] = table[rgb[index]!]!;
  return { width, height, rgb: out };
}
