/**
 * Images of a run, by hash, on disk.
 */
import { createHash } from "node:crypto";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { DataError } from "../core/errors.ts";
import type { CanonicalImage, ImageStore } from "../core/images.ts";
import { writeFileAtomic } from "./disk.ts";

/** Recent images that stay in memory: a step's worth, so that prompts do not read what tools just wrote. */
const KEPT_BYTES = 256 * 2 ** 20;

export class DiskImageStore implements ImageStore {
  readonly #folder: string;
  readonly #keptBytes: number;
  readonly #recent = new Map<string, CanonicalImage>();
  #recentBytes = 0;
  /** Writes under way, so that two rollouts making one image write it once. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor(folder: string, keptBytes = KEPT_BYTES) {
    this.#folder = folder;
    this.#keptBytes = keptBytes;
  }

  pathOf(sha256: string): string {
    return join(this.#folder, `${sha256}.png`);
  }

  async put(image: CanonicalImage): Promise<void> {
    if (this.#recent.has(image.sha256)) return;
    const writing = this.#writing.get(image.sha256) ?? this.#write(image);
    this.#writing.set(image.sha256, writing);
    await writing.finally(() => this.#writing.delete(image.sha256));
  }

  async get(sha256: string): Promise<CanonicalImage> {
    const recent = this.#recent.get(sha256);
    if (recent !== undefined) return recent;
    const path = this.pathOf(sha256);
    let png: Buffer;
    try {
      png = await readFile(path);
    } catch (cause) {
      throw new DataError("data.image_missing", `no image ${path}`, { hint: "The run folder is incomplete.", cause });
    }
    const found = createHash("sha256").update(png).digest("hex");
    if (found !== sha256) {
      throw new DataError("data.image_corrupt", `${path}: the bytes hash to ${found}`, {
        hint: "The file was changed after it was written; restore it from a backup.",
      });
    }
    const { width, height } = await sharp(png).metadata();
    const image = { sha256, png, width, height };
    this.#keep(image);
    return image;
  }

  async #write(image: CanonicalImage): Promise<void> {
    const path = this.pathOf(image.sha256);
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (!exists) await writeFileAtomic(path, image.png);
    this.#keep(image);
  }

  #keep(image: CanonicalImage): void {
    if (this.#recent.has(image.sha256)) return;
    this.#recent.set(image.sha256, image);
    this.#recentBytes += image.png.length;
    for (const oldest of this.#recent.values()) {
      if (this.#recentBytes <= this.#keptBytes) break;
      this.#recent.delete(oldest.sha256);
      this.#recentBytes -= oldest.png.length;
    }
  }
}
