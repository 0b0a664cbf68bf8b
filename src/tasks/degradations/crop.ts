/**
 * crop: what matters is a small part of the image. Two forms: generated tasks put the whole content at half size in one quadrant;
 * a photograph stays as it is and its question names a box. Both have a box to cut, and the cut is what a right crop yields.
 */
import type { Pixels } from "../../core/images.ts";
import { QUADRANTS, type Box, type DamageOf, type Quadrant } from "./damage.ts";

/** The content at half size (mean of 2 x 2) in `quadrant`; the rest takes the border's mean colour. Sides are at least 2 pixels. */
export function shrinkInto({ width, height, rgb }: Pixels, quadrant: Quadrant): Pixels {
  const out = new Uint8Array(rgb.length);
  const fill = borderColour({ width, height, rgb });
  for (let index = 0; index < out.length; index++) out[index] = fill[index % 3]!;
  const halfWidth = width >> 1;
  const halfHeight = height >> 1;
  const { right, bottom } = sidesOf(quadrant);
  const left = right ? width - halfWidth : 0;
  const top = bottom ? height - halfHeight : 0;
  const stride = width * 3;
  for (let y = 0; y < halfHeight; y++) {
    for (let x = 0; x < halfWidth; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const from = 2 * y * stride + 2 * x * 3 + channel;
        const sum = rgb[from]! + rgb[from + 3]! + rgb[from + stride]! + rgb[from + stride + 3]!;
        out[(top + y) * stride + (left + x) * 3 + channel] = (sum + 2) >> 2;
      }
    }
  }
  return { width, height, rgb: out };
}

/** The box that a right crop cuts, normalised 0..1000. */
export function boxOfCrop(crop: DamageOf<"crop">): Box {
  if ("box" in crop) return crop.box;
  const { right, bottom } = sidesOf(crop.quadrant);
  return [right ? 500 : 0, bottom ? 500 : 0, right ? 1000 : 500, bottom ? 1000 : 500];
}

/** The pixels inside `box`: trunc(box * size / 1000), ends excluded, as MAT's reference cuts. */
export function cut({ width, height, rgb }: Pixels, box: Box): Pixels {
  const [left, top, right, bottom] = box.map((value, index) =>
    Math.trunc((value * (index % 2 === 0 ? width : height)) / 1000),
  ) as [number, number, number, number];
  const out = { width: right - left, height: bottom - top, rgb: new Uint8Array((right - left) * (bottom - top) * 3) };
  for (let y = 0; y < out.height; y++) {
    const from = ((top + y) * width + left) * 3;
    out.rgb.set(rgb.subarray(from, from + out.width * 3), y * out.width * 3);
  }
  return out;
}

function sidesOf(quadrant: Quadrant): { right: boolean; bottom: boolean } {
  const index = QUADRANTS.indexOf(quadrant);
  return { right: index % 2 === 1, bottom: index >= 2 };
}

function borderColour({ width, height, rgb }: Pixels): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  let count = 0;
  for (let y = 0; y < height; y++) {
    const step = y === 0 || y === height - 1 ? 1 : width - 1;
    for (let x = 0; x < width; x += step) {
      const from = (y * width + x) * 3;
      sums[0] += rgb[from]!;
      sums[1] += rgb[from + 1]!;
      sums[2] += rgb[from + 2]!;
      count++;
    }
  }
  return [Math.round(sums[0] / count), Math.round(sums[1] / count), Math.round(sums[2] / count)];
}
