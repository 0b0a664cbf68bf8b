/**
 * blur: a separable Gaussian in integer arithmetic, so that the last bit of `exp` decides nothing.
 */
import type { Pixels } from "../../core/images.ts";

/** Weights are in units of 1 / ONE. With 8 fractional bits between the passes every sum stays below 2^31. */
const ONE = 1 << 14;

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
  // A pass adds 14 fractional bits: the first drops 6 of them, the second the remaining 22.
  const between = blurRows(rgb, width, height, half, 6, new Uint16Array(rgb.length));
  return { width, height, rgb: blurRows(between, height, width, half, 22, new Uint8Array(rgb.length)) };
}

/** Blurs along each row, drops `shift` bits with rounding, and writes the transposed image, so that a second call blurs the columns. */
function blurRows<T extends Uint8Array | Uint16Array>(
  source: Uint8Array | Uint16Array,
  width: number,
  height: number,
  half: Int32Array,
  shift: number,
  out: T,
): T {
  const radius = half.length - 1;
  const row = new Int32Array(width + 2 * radius);
  const columns = Int32Array.from(row, (_, x) => mirrored(x - radius, width) * 3);
  const rounding = 1 << (shift - 1);
  const middle = half[0]!;
  for (let y = 0; y < height; y++) {
    for (let channel = 0; channel < 3; channel++) {
      const from = y * width * 3 + channel;
      for (let x = 0; x < row.length; x++) row[x] = source[from + columns[x]!]!;
      for (let x = 0; x < width; x++) {
        const centre = x + radius;
        let sum = Math.imul(middle, row[centre]!) + rounding;
        for (let k = 1; k <= radius; k++) sum = (sum + Math.imul(half[k]!, row[centre - k]! + row[centre + k]!)) | 0;
        out[(x * height + y) * 3 + channel] = sum >> shift;
      }
    }
  }
  return out;
}

/** ... 2 1 | 0 1 2 ... n-1 | n-2 n-3 ..., for any distance. */
function mirrored(index: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const inside = ((index % period) + period) % period;
  return inside < size ? inside : period - inside;
}
