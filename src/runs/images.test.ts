import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { canonicalFromPixels, pixelsOf, type CanonicalImage } from "../core/images.ts";
import { DiskImageStore } from "./images.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "varft-images-"));
});
afterAll(() => rm(folder, { recursive: true }));

const rgb = Uint8Array.from({ length: 40 * 30 * 3 }, (_, at) => (at * 7) ^ (at >> 5));
const shade = (value: number): Promise<CanonicalImage> =>
  canonicalFromPixels({ width: 40, height: 30, rgb: rgb.map((one) => one ^ value) });

it("keeps the last images in memory, no more than fit, and reads the others", async () => {
  const [one, two, three] = await Promise.all([shade(1), shade(2), shade(3)]);
  const path = join(folder, "bounded");
  await mkdir(path);
  const store = new DiskImageStore(path, two.png.length + three.png.length);
  for (const image of [one, two, three, three]) await store.put(image);
  expect(await readdir(path)).toHaveLength(3);
  expect(await store.get(two.sha256)).toBe(two);
  expect(await store.get(three.sha256)).toBe(three);
  const read = await store.get(one.sha256);
  expect(read).not.toBe(one);
  expect(await pixelsOf(read)).toEqual(await pixelsOf(one));
});

it("reads the files of any encoder, by their bytes: those of older run folders", async () => {
  const raw = { width: 40, height: 30, channels: 3 } as const;
  const png = await sharp(rgb, { raw }).png({ compressionLevel: 6, adaptiveFiltering: false }).toBuffer();
  const sha256 = createHash("sha256").update(png).digest("hex");
  await writeFile(join(folder, `${sha256}.png`), png);
  const image = await new DiskImageStore(folder).get(sha256);
  expect(image).toMatchObject({ sha256, width: 40, height: 30 });
  expect((await pixelsOf(image)).rgb).toEqual(rgb);
});
