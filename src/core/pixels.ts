/** Decoded images, and those of late: what one tool call produced the next one need not decode. */

/** Interleaved RGB, one byte a channel: `rgb.length === width * height * 3`. */
export interface Pixels {
  width: number;
  height: number;
  rgb: Uint8Array;
}

/** Pixels by the identity of their encoded bytes, least recently used out first, no more than `capacityBytes` with those. */
export class RecentPixels {
  readonly #capacityBytes: number;
  readonly #kept = new Map<Uint8Array, { pixels: Promise<Pixels>; bytes: number }>();
  #bytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get(png: Uint8Array): Promise<Pixels> | undefined {
    const known = this.#kept.get(png);
    if (known === undefined) return undefined;
    this.#kept.delete(png);
    this.#kept.set(png, known);
    return known.pixels;
  }

  /** Nobody may write to the pixels any more. Those that cannot be had are forgotten. */
  keep({ png, width, height }: { png: Uint8Array; width: number; height: number }, pixels: Promise<Pixels>): void {
    this.#forget(png);
    const bytes = width * height * 3 + png.length;
    if (bytes > this.#capacityBytes) return;
    this.#kept.set(png, { pixels, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#capacityBytes) break;
      this.#forget(oldest);
    }
    pixels.catch(() => this.#forget(png));
  }

  #forget(png: Uint8Array): void {
    this.#bytes -= this.#kept.get(png)?.bytes ?? 0;
    this.#kept.delete(png);
  }
}
