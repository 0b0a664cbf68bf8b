/**
 * How much nearer the final image is to the clean original than the damaged one was.
 *
 * Damaged: clip((s - s0) / (1 - s0), 0, 1), s and s0 = SSIM of the final and of the given image with the clean one, each resized to
 * its size. Undamaged (kind `none`): 1 untouched, else max(0, 2 s - 1). Null where the clean original is unknown.
 */
import sharp from "sharp";
import { pixelsOf, type CanonicalImage, type ImageStore, type Pixels } from "../core/images.ts";
import type { RolloutRecord } from "../core/records.ts";
import { ssim } from "./ssim.ts";
import { defineVerifier } from "./verifier.ts";

export const restoration = defineVerifier({
  name: "restoration",
  async score(rollout, task, { images }) {
    const { cleanImage, kind } = task.private;
    const given = task.public.images[0];
    if (cleanImage === undefined || given === undefined) return { score: null, detail: {} };
    const final = finalImage(rollout) ?? given;
    const similarity = await similarityTo(cleanImage, final, images);
    if (kind === "none") {
      return { score: final === given ? 1 : Math.max(0, 2 * similarity - 1), detail: { similarity } };
    }
    const before = await similarityTo(cleanImage, given, images);
    const gain = before >= 1 ? 0 : (similarity - before) / (1 - before);
    return { score: Math.min(1, Math.max(0, gain)), detail: { similarity, before } };
  },
});

/** sha256 of the last image that a tool put in place; null when none did. */
function finalImage({ turns }: RolloutRecord): string | null {
  const replacing = turns.flatMap((turn) => turn.toolRuns).filter((run) => run.replacesImage);
  return replacing.at(-1)?.images[0] ?? null;
}

/** Similarities known so far, by store: the rollouts of a group share their images. */
const known = new WeakMap<ImageStore, Map<string, Promise<number>>>();
const MOST_KNOWN = 10_000;

/** SSIM of two images by sha256, the second resized to the size of the first. */
function similarityTo(clean: string, other: string, images: ImageStore): Promise<number> {
  if (clean === other) return Promise.resolve(1);
  const similarities = known.get(images) ?? new Map<string, Promise<number>>();
  known.set(images, similarities);
  const key = `${clean} ${other}`;
  const found = similarities.get(key);
  if (found !== undefined) return found;
  if (similarities.size >= MOST_KNOWN) similarities.clear();
  const computing = computeSimilarity(clean, other, images);
  similarities.set(key, computing);
  // A failure, of the disk say, is not remembered.
  computing.catch(() => similarities.delete(key));
  return computing;
}

async function computeSimilarity(clean: string, other: string, images: ImageStore): Promise<number> {
  const original = await pixelsOf(await images.get(clean));
  return ssim(original, await resized(await images.get(other), original));
}

async function resized(image: CanonicalImage, { width, height }: Pixels): Promise<Pixels> {
  if (image.width === width && image.height === height) return pixelsOf(image);
  const options = { fit: "fill", kernel: "linear" } as const;
  const { data, info } = await sharp(image.png)
    .resize(width, height, options)
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: data };
}
