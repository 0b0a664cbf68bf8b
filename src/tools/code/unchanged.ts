/**
 * Whether a snippet changed the image at all. Saving as JPEG changes pixels too: that alone is no change.
 */
import sharp from "sharp";
import { croppedPixels, pixelsOf, type CanonicalImage, type Pixels } from "../../core/images.ts";

/** Qualities that OpenCV and Pillow save JPEG at unless told otherwise. Both, as sharp, encode with libjpeg-turbo at 4:2:0. */
const JPEG_QUALITIES = [95, 75];
/** Between JPEG decoders of different machines, per sample. */
const DECODER_DIFFERENCE = 2;
/** Rows compared first, two of JPEG's blocks of 16, and their mean difference above which no JPEG explains it. */
const GLANCE_ROWS = 32;
const GLANCE_DIFFERENCE = 16;

/** True when `output` has the pixels of `input`, or those of `input` saved once as JPEG by OpenCV's or Pillow's defaults. */
export async function isUnchanged(input: CanonicalImage, output: Pixels): Promise<boolean> {
  const { width, height } = input;
  if (output.width !== width || output.height !== height) return false;
  // Most snippets change every row: the whole image is looked at only when its first rows are alike.
  const rows = Math.min(GLANCE_ROWS, height);
  const first = await croppedPixels(input, { left: 0, top: 0, width, height: rows });
  if (meanDifference(first.rgb, output.rgb) > GLANCE_DIFFERENCE) return false;
  const whole = await pixelsOf(input);
  if (Buffer.compare(whole.rgb, output.rgb) === 0) return true;
  // The first rows saved are the first rows of the image saved, but for the last two: their colour mixes with the block below.
  const settled = (rows === height ? rows : rows - 2) * width * 3;
  for (const quality of JPEG_QUALITIES) {
    if (!isAlike((await savedAsJpeg(first, quality)).subarray(0, settled), output.rgb)) continue;
    if (isAlike(await savedAsJpeg(whole, quality), output.rgb)) return true;
  }
  return false;
}

async function savedAsJpeg({ width, height, rgb }: Pixels, quality: number): Promise<Uint8Array> {
  const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: "4:2:0" })
    .toBuffer();
  return sharp(jpeg).raw().toBuffer();
}

/** Of the samples of `one` and as many of `other`. */
function meanDifference(one: Uint8Array, other: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += Math.abs(one[index]! - other[index]!);
  return sum / one.length;
}

/** Whether as many samples of `other` as `one` has are its own, up to the decoder. */
function isAlike(one: Uint8Array, other: Uint8Array): boolean {
  for (let index = 0; index < one.length; index++) {
    if (Math.abs(one[index]! - other[index]!) > DECODER_DIFFERENCE) return false;
  }
  return true;
}
