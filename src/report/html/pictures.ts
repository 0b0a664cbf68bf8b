/**
 * Images of a run as data URIs, so that the page needs no other file.
 */
import sharp from "sharp";
import type { ImageStore } from "../../core/images.ts";
import { markup, type Markup } from "./escape.ts";

/** Longer sides are scaled down to this: a page of photographs must still open on a phone. */
const LONGEST = 384;

/** Up to this width pixels are shown as squares rather than smoothed. */
const PIXELATED = 128;

export interface Picture {
  uri: string;
  width: number;
  height: number;
}

/** By sha256. Throws `data.image_missing` as the store does. */
export async function loadPictures(hashes: Iterable<string>, images: ImageStore): Promise<Map<string, Picture>> {
  const pictures = new Map<string, Picture>();
  for (const sha256 of new Set(hashes)) {
    const { png, width, height } = await images.get(sha256);
    const options = { width: LONGEST, height: LONGEST, fit: "inside", withoutEnlargement: true } as const;
    const bytes = Math.max(width, height) <= LONGEST ? png : await sharp(png).resize(options).png().toBuffer();
    pictures.set(sha256, { uri: `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`, width, height });
  }
  return pictures;
}

export function pictureFigure({ uri, width, height }: Picture, caption: string, alt: string): Markup {
  const kind = width <= PIXELATED ? "pixels" : "smooth";
  return markup`<figure class="picture"><img class="${kind}" src="${uri}" width="${width}" height="${height}" alt="${alt}" /><figcaption>${caption}</figcaption></figure>`;
}
