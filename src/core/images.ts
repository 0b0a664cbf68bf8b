/**
 * Images by sha256. Canonical on entry: orientation applied, transparency on white, RGB8, PNG; the sha256 is of those PNG bytes, which
 * are always the same for the same pixels (`png/`).
 */
import { createHash } from "node:crypto";
import sharp from "sharp";
import { DataError } from "./errors.ts";
import { encodePng } from "./png/encode.ts";
import { RecentPixels, type Pixels } from "./pixels.ts";

export type { Pixels } from "./pixels.ts";

/** Width x height above which a file is refused before it is decoded. */
const MAX_INPUT_PIXELS = 200_000_000;

export interface CanonicalImage {
  sha256: string;
  /** Canonical PNG bytes. */
  png: Uint8Array;
  width: number;
  height: number;
}

/** Where canonical images live: the run folder on disk, or memory in tests. */
export interface ImageStore {
  put(image: CanonicalImage): Promise<void>;
  /** Throws `data.image_missing` when absent. */
  get(sha256: string): Promise<CanonicalImage>;
}

/** The images of a few dozen rollouts. */
const recent = new RecentPixels(128 * 2 ** 20);

/** `pixels` are written to no more. */
async function encoded(pixels: Pixels): Promise<CanonicalImage> {
  const { width, height, rgb } = pixels;
  const png = await encodePng(width, height, rgb);
  const image = { sha256: createHash("sha256").update(png).digest("hex"), png, width, height };
  recent.keep(image, Promise.resolve(pixels));
  return image;
}

/**
 * Decodes any image file that sharp reads, the first picture of one that holds several. `source` names it in errors.
 * Throws `data.not_an_image`, and `data.image_too_large` above 200 million pixels.
 */
export async function canonicalImage(bytes: Uint8Array, source: string): Promise<CanonicalImage> {
  return encoded(await decoded(bytes, source));
}

async function decoded(bytes: Uint8Array, source: string): Promise<Pixels> {
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: MAX_INPUT_PIXELS, failOn: "error" })
      .autoOrient()
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, rgb: data };
  } catch (cause) {
    if (String(cause).includes("exceeds pixel limit")) {
      throw new DataError("data.image_too_large", `${source}: more than ${MAX_INPUT_PIXELS} pixels`, {
        hint: "Scale it down first.",
        details: { source, bytes: bytes.length },
        cause,
      });
    }
    const start = Buffer.from(bytes.subarray(0, 8)).toString("hex");
    throw new DataError(
      "data.not_an_image",
      `${source}: cannot be read as an image (${bytes.length} bytes, starting ${start || "nothing"})`,
      {
        hint: "Give a PNG, JPEG, WebP, TIFF or GIF file.",
        details: { source, bytes: bytes.length, reason: cause instanceof Error ? cause.message : String(cause) },
        cause,
      },
    );
  }
}

/** Pixels to a canonical image. Throws `data.bad_pixels` when there are none or their length is not width * height * 3. */
export async function canonicalFromPixels(pixels: Pixels): Promise<CanonicalImage> {
  const { width, height, rgb } = pixels;
  if (!(width >= 1 && height >= 1) || rgb.length !== width * height * 3) {
    throw new DataError("data.bad_pixels", `expected ${width} x ${height} x 3 bytes, got ${rgb.length}`);
  }
  return encoded({ width, height, rgb: new Uint8Array(rgb) });
}

/** The pixels of a canonical image, as a copy. */
export async function pixelsOf(image: CanonicalImage): Promise<Pixels> {
  const { width, height, rgb } = await sharedPixels(image);
  return { width, height, rgb: new Uint8Array(rgb) };
}

/** The pixels of a part of an image. Throws `RangeError` when `region` does not lie inside it. */
export async function croppedPixels(
  image: CanonicalImage,
  region: { left: number; top: number; width: number; height: number },
): Promise<Pixels> {
  const { left, top, width, height } = region;
  const inside = left >= 0 && top >= 0 && left + width <= image.width && top + height <= image.height;
  if (![left, top, width, height].every(Number.isInteger) || !inside || width < 1 || height < 1) {
    const written = `${width} x ${height} pixels at (${left}, ${top})`;
    throw new RangeError(`expected a region of the image, which is ${image.width} x ${image.height}, got ${written}`);
  }
  const pixels = await sharedPixels(image);
  const rgb = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * pixels.width + left) * 3;
    rgb.set(pixels.rgb.subarray(from, from + width * 3), row * width * 3);
  }
  return { width, height, rgb };
}

/** What `png`, this very object, holds, when it is a canonical image of late. The same memory for all who ask, not to be written to. */
export function knownPixels(png: Uint8Array): Promise<Pixels> | undefined {
  return recent.get(png);
}

function sharedPixels(image: CanonicalImage): Promise<Pixels> {
  const known = knownPixels(image.png);
  if (known !== undefined) return known;
  const pixels = decodedPng(image.png);
  recent.keep(image, pixels);
  return pixels;
}

async function decodedPng(png: Uint8Array): Promise<Pixels> {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}

/** An `ImageStore` that lives as long as the process. */
export class MemoryImageStore implements ImageStore {
  readonly #images = new Map<string, CanonicalImage>();

  put(image: CanonicalImage): Promise<void> {
    this.#images.set(image.sha256, image);
    return Promise.resolve();
  }

  get(sha256: string): Promise<CanonicalImage> {
    const image = this.#images.get(sha256);
    return image === undefined
      ? Promise.reject(new DataError("data.image_missing", `no image ${sha256} in memory`))
      : Promise.resolve(image);
  }
}
