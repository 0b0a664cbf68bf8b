/**
 * noise: salt and pepper on an exact number of pixels.
 */
import type { Pixels } from "../../core/images.ts";

/** Turns round(share * width * height) pixels black or white. Algorithm S (Knuth, TAOCP 2, 3.4.2): one pass, exact count. */
export function saltAndPepper({ width, height, rgb }: Pixels, share: number, seed: readonly number[]): Pixels {
  const next = sfc32(seed);
  const out = Uint8Array.from(rgb);
  const count = width * height;
  let wanted = Math.round(share * count);
  for (let pixel = 0; pixel < count && wanted > 0; pixel++) {
    const draw = next();
    if (draw * (count - pixel) >= wanted * 2 ** 32) continue;
    wanted--;
    out.fill((next() & 1) * 255, pixel * 3, pixel * 3 + 3);
  }
  return { width, height, rgb: out };
}

/** Uniform 32-bit integers (Chris Doty-Humphrey's sfc32): a `SeededStream` hashes per draw, too slow for one a pixel. */
function sfc32([first = 0, second = 0, third = 0]: readonly number[]): () => number {
  let a = first | 0;
  let b = second | 0;
  let c = third | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // Its author's warm-up, after which near seeds have nothing in common.
  for (let round = 0; round < 12; round++) next();
  return next;
}
