/**
 * blur: a separable Gaussian in integer arithmetic, so that the last bit of `exp` decides nothing.
 */
import type { Pixels } from "../../core/images.ts";

/** Weights are in units of 1 / ONE. With 8 kept fractional bits between the passes every sum stays below 2^31. */
const ONE = 1 << 14;
const KEPT = 1 << 8;

/** Half of the kernel: w[k] ~ exp(-k^2 / (2 sigma^2)), k = 0..ceil(3 sigma), w[0] + 2 (w[1] + ...) = 2^14. */
export function gaussianHalf(sigma: number): Int32Array {
  const radius = Math.ceil(3 * sigma);
  const raw = Array.from({ length: radius + 1 }, (_, k) => Math.exp(-(k * k) / (2 * sigma * sigma)));
  const sum = raw.reduce((total, weight, k) => total + (k === 0 ? weight : 2 * weight), 0);
  const half = Int32Array.from(raw, (weight) => Math.round((weight / sum) * ONE));
  half[0] = ONE - 2 * half.subarray(1).reduce((total, weight) => total + weight, 0);
  return half;
}

/** Gaussian blur; beyond the border the image is mirrored without repeating its edge (OpenCV's default). */
export function blur({ width, height, rgb }: Pixels, sigma: number): Pixels {
  const half = gaussianHalf(sigma);
  const stride = width * 3;
  const between = new Uint16Array(rgb.length);
  const sums = new Int32Array(stride);
  const radius = half.length - 1;
  const padded = new Uint8Array((width + 2 * radius) * 3);
  for (let y = 0; y < height; y++) {
    const row = rgb.subarray(y * stride, (y + 1) * stride);
    for (let x = -radius; x < width + radius; x++) {
      const from = mirrored(x, width) * 3;
      const to = (x + radius) * 3;
      padded[to] = row[from]!;
      padded[to + 1] = row[from + 1]!;
      padded[to + 2] = row[from + 2]!;
    }
    const centre = radius * 3;
    for (let x = 0; x < stride; x++) sums[x] = half[0]! * padded[centre + x]!;
    for (let k = 1; k <= radius; k++) {
      const weight = half[k]!;
      const left = centre - k * 3;
      const right = centre + k * 3;
      for (let x = 0; x < stride; x++) sums[x]! += weight * (padded[left + x]! + padded[right + x]!);
    }
    const start = y * stride;
    for (let x = 0; x < stride; x++) between[start + x] = (sums[x]! + ONE / KEPT / 2) >> 6;
  }
  const out = new Uint8Array(rgb.length);
  for (let y = 0; y < height; y++) {
    const start = y * stride;
    for (let x = 0; x < stride; x++) sums[x] = half[0]! * between[start + x]!;
    for (let k = 1; k <= radius; k++) {
      const weight = half[k]!;
      const above = mirrored(y - k, height) * stride;
      const below = mirrored(y + k, height) * stride;
      for (let x = 0; x < stride; x++) sums[x]! += weight * (between[above + x]! + between[below + x]!);
    }
    for (let x = 0; x < stride; x++) out[start + x] = (sums[x]! + (ONE * KEPT) / 2) >> 22;
  }
  return { width, height, rgb: out };
}

/** ... 2 1 | 0 1 2 ... n-1 | n-2 n-3 ..., for any distance. */
function mirrored(index: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const inside = ((index % period) + period) % period;
  return inside < size ? inside : period - inside;
}
