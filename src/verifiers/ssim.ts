/**
 * Structural similarity of two images (Wang et al. 2004, IEEE TIP 13(4)), as scikit-image computes it by default: luminance
 * 0.299 R + 0.587 G + 0.114 B, uniform 7 x 7 windows, sample covariance, K1 = 0.01, K2 = 0.03, range 255, mean over whole windows.
 */
import { DataError } from "../core/errors.ts";
import type { Pixels } from "../core/images.ts";

const WINDOW = 7;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/** In [-1, 1]; 1 for equal images. Throws `data.bad_pixels` when the sizes differ or a side is under 7 pixels. */
export function ssim(a: Pixels, b: Pixels): number {
  const { width, height } = a;
  if (b.width !== width || b.height !== height || width < WINDOW || height < WINDOW) {
    throw new DataError(
      "data.bad_pixels",
      `ssim: expected two images of one size >= ${WINDOW}, got ${width}x${height} and ${b.width}x${b.height}`,
    );
  }
  const x = luminance(a);
  const y = luminance(b);
  const sums = [x, y, product(x, x), product(y, y), product(x, y)].map((values) => windowSums(values, width, height));
  const [sx, sy, sxx, syy, sxy] = sums as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const n = WINDOW * WINDOW;
  let total = 0;
  for (let i = 0; i < sx.length; i++) {
    const mx = (sx[i] ?? 0) / n;
    const my = (sy[i] ?? 0) / n;
    const vx = ((sxx[i] ?? 0) - n * mx * mx) / (n - 1);
    const vy = ((syy[i] ?? 0) - n * my * my) / (n - 1);
    const cov = ((sxy[i] ?? 0) - n * mx * my) / (n - 1);
    total += ((2 * mx * my + C1) * (2 * cov + C2)) / ((mx * mx + my * my + C1) * (vx + vy + C2));
  }
  return total / sx.length;
}

function luminance({ rgb }: Pixels): Float64Array {
  return Float64Array.from(
    { length: rgb.length / 3 },
    (_, i) => 0.299 * (rgb[i * 3] ?? 0) + 0.587 * (rgb[i * 3 + 1] ?? 0) + 0.114 * (rgb[i * 3 + 2] ?? 0),
  );
}

function product(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value * (b[i] ?? 0));
}

/** Sums over every whole window: along rows, then along columns. */
function windowSums(values: Float64Array, width: number, height: number): Float64Array {
  const columns = width - WINDOW + 1;
  const rows = height - WINDOW + 1;
  const across = slidingSums(values, {
    lines: height,
    step: width,
    stride: 1,
    count: columns,
    outStep: columns,
    outStride: 1,
  });
  return slidingSums(across, { lines: columns, step: 1, stride: columns, count: rows, outStep: 1, outStride: columns });
}

interface Sliding {
  lines: number;
  /** From a line's first value to the next line's, and from a value to the next of its line. */
  step: number;
  stride: number;
  /** Windows of a line. */
  count: number;
  outStep: number;
  outStride: number;
}

/** Each window's sum from the one before it: one value enters, one leaves. */
function slidingSums(values: Float64Array, { lines, step, stride, count, outStep, outStride }: Sliding): Float64Array {
  const sums = new Float64Array(lines * count);
  for (let line = 0; line < lines; line++) {
    const start = line * step;
    let sum = 0;
    for (let k = 0; k < WINDOW; k++) sum += values[start + k * stride] ?? 0;
    sums[line * outStep] = sum;
    for (let at = 1; at < count; at++) {
      sum += (values[start + (at + WINDOW - 1) * stride] ?? 0) - (values[start + (at - 1) * stride] ?? 0);
      sums[line * outStep + at * outStride] = sum;
    }
  }
  return sums;
}
