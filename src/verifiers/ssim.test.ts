import { expect, it } from "vitest";
import type { Pixels } from "../core/images.ts";
import { ssim } from "./ssim.ts";

const make = (value: (x: number, y: number, channel: number) => number): Pixels => {
  const rgb = new Uint8Array(20 * 16 * 3);
  for (let i = 0; i < rgb.length; i++) {
    const pixel = Math.floor(i / 3);
    rgb[i] = value(pixel % 20, Math.floor(pixel / 20), i % 3);
  }
  return { width: 20, height: 16, rgb };
};
const base = (x: number, y: number, channel: number): number => (x * x * 7 + y * 13 + channel * 40) % 256;

// Golden values of skimage.metrics.structural_similarity(win_size=7, data_range=255) on the luminance of the same images.
it.each([
  ["itself", base, 1],
  [
    "a disturbed copy",
    (x: number, y: number, c: number) => (base(x, y, c) + ((x * y) % 5) * 9) % 256,
    0.7719691018247178,
  ],
  ["its negative", (x: number, y: number, c: number) => 255 - base(x, y, c), -0.9698122312937191],
])("equals scikit-image: an image and %s", (_, other, expected) => {
  expect(ssim(make(base), make(other))).toBeCloseTo(expected, 9);
});

it("refuses images of two sizes, and tiny ones", () => {
  const small = { width: 6, height: 6, rgb: new Uint8Array(108) };
  expect(() => ssim(make(base), small)).toThrow("20x16 and 6x6");
  expect(() => ssim(small, small)).toThrow("6x6");
});
