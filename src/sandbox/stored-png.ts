/**
 * PNG files without compression and filters: the same picture to whoever decodes it, at a fifth of the time. A snippet decodes its
 * input anew each time, while the host has its pixels, or decodes it once for all the rollouts that share it.
 */
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import sharp from "sharp";
import { knownPixels, type Pixels } from "../core/images.ts";
import { pngFile, SIGNATURE } from "../core/png/chunks.ts";

/** Above this size decoded, copying into the jail would cost more than it saves. */
const MAX_STORED_BYTES = 32 * 2 ** 20;
const CACHE_BYTES = 64 * 2 ** 20;

const deflate = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.deflate);

interface Kept {
  source: Buffer;
  stored: Promise<Uint8Array>;
  bytes: number;
}

/** Remembers the last images, by their whole content. */
export class StoredPngs {
  readonly #kept: Kept[] = [];
  #bytes = 0;

  /** `image` with its pixels stored; `image` itself when it is not a canonical one: a PNG of RGB8 pixels. */
  get(image: Uint8Array): Promise<Uint8Array> {
    const place = this.#kept.findIndex(({ source }) => source.equals(image));
    const known = place < 0 ? this.#remember(image) : this.#kept.splice(place, 1)[0]!;
    this.#kept.push(known);
    return known.stored;
  }

  #remember(image: Uint8Array): Kept {
    const source = Buffer.from(image);
    const known: Kept = { source, stored: storedPng(source, knownPixels(image)), bytes: source.length };
    this.#bytes += known.bytes;
    void known.stored.then((stored) => {
      if (!this.#kept.includes(known) || stored === source) return;
      known.bytes += stored.length;
      this.#bytes += stored.length;
      this.#forget();
    });
    this.#forget();
    return known;
  }

  #forget(): void {
    while (this.#bytes > CACHE_BYTES && this.#kept.length > 0) this.#bytes -= this.#kept.shift()!.bytes;
  }
}

/** Never rejects: what cannot be rewritten is given to the snippet as it is. */
async function storedPng(png: Buffer, known: Promise<Pixels> | undefined): Promise<Uint8Array> {
  const size = canonicalSize(png);
  if (size === null || size.height * (1 + size.width * 3) > MAX_STORED_BYTES) return png;
  try {
    const pixels = await (known ?? decoded(png));
    return pngFile(pixels.width, pixels.height, [await deflate(unfilteredRows(pixels), { level: 0 })]);
  } catch {
    return png; // damaged pixel data: the snippet's to find out
  }
}

function unfilteredRows({ width, height, rgb }: Pixels): Uint8Array {
  const stride = width * 3;
  const rows = new Uint8Array(height * (1 + stride));
  for (let row = 0; row < height; row++) {
    rows.set(rgb.subarray(row * stride, (row + 1) * stride), row * (1 + stride) + 1);
  }
  return rows;
}

async function decoded(png: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(png, { failOn: "warning" }).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}

/** Width and height of a sound PNG of 8-bit RGB, not interlaced, with no more than a resolution besides; null for anything else. */
function canonicalSize(png: Buffer): { width: number; height: number } | null {
  if (!png.subarray(0, 8).equals(SIGNATURE)) return null;
  const kinds: string[] = [];
  for (let at = 8; at < png.length;) {
    if (at + 12 > png.length) return null;
    const end = at + 12 + png.readUInt32BE(at);
    if (end > png.length || zlib.crc32(png.subarray(at + 4, end - 4)) !== png.readUInt32BE(end - 4)) return null;
    kinds.push(png.toString("latin1", at + 4, at + 8));
    at = end;
  }
  if (!/^IHDR( pHYs)?( IDAT)+ IEND$/.test(kinds.join(" ")) || png.readUInt32BE(8) !== 13) return null;
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const isRgb8 = png.subarray(24, 29).equals(Buffer.from([8, 2, 0, 0, 0]));
  return isRgb8 && width > 0 && height > 0 ? { width, height } : null;
}
