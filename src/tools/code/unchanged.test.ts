import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { canonicalFromPixels, type Pixels } from "../../core/images.ts";
import { isUnchanged } from "./unchanged.ts";

/** Waves of colour: what JPEG's blocks and its coarser colour both change a little. */
function waves(width: number, height: number): Pixels {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const [x, y, channel] = [Math.floor(at / 3) % width, Math.floor(at / (3 * width)), at % 3];
    return 128 + 100 * Math.sin(x / (3 + channel)) * Math.cos(y / (5 - channel));
  });
  return { width, height, rgb };
}

async function saved({ width, height, rgb }: Pixels, quality: number): Promise<Pixels> {
  const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
  return { width, height, rgb: await sharp(jpeg).raw().toBuffer() };
}

const SIZES = [1, 2, 15, 16, 17, 30, 31, 32, 33, 34, 47, 48, 49, 150].flatMap((height) => [
  [7, height],
  [64, height],
]) as [number, number][];

describe.each(SIZES)("%i x %i", (width, height) => {
  it("the same, and the same saved as JPEG, is no change", async () => {
    const pixels = waves(width, height);
    const image = await canonicalFromPixels(pixels);
    expect(await isUnchanged(image, pixels)).toBe(true);
    for (const quality of [95, 75]) expect(await isUnchanged(image, await saved(pixels, quality))).toBe(true);
  });

  it("one sample in the last row, then saved or not, is one", async () => {
    const pixels = waves(width, height);
    const image = await canonicalFromPixels(pixels);
    const rgb = pixels.rgb.slice();
    rgb[rgb.length - 2]! ^= 0x80;
    expect(await isUnchanged(image, { ...pixels, rgb })).toBe(false);
    expect(await isUnchanged(image, await saved({ ...pixels, rgb }, 95))).toBe(false);
  });
});

it("a little brighter, or another size, is a change", async () => {
  const pixels = waves(60, 80);
  const image = await canonicalFromPixels(pixels);
  const brighter = { ...pixels, rgb: pixels.rgb.map((value) => Math.min(255, value + 3)) };
  for (const other of [brighter, await saved(brighter, 95), waves(80, 60)]) {
    expect(await isUnchanged(image, other)).toBe(false);
  }
});
