import fc from "fast-check";
import { inflateSync } from "node:zlib";
import sharp from "sharp";
import { expect, it } from "vitest";
import { canonicalFromPixels } from "../core/images.ts";
import { StoredPngs } from "./stored-png.ts";

const noise = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (Math.imul(index + seed, 2_654_435_761) >>> 13) & 0xff);

it("decodes to the same pixels, whatever the size, whoever wrote it, known already or not", async () => {
  const images = new StoredPngs();
  const side = fc.integer({ min: 1, max: 70 });
  await fc.assert(
    fc.asyncProperty(side, side, fc.boolean(), async (width, height, adaptiveFiltering) => {
      const rgb = noise(width * height * 3, width);
      const ours = (await canonicalFromPixels({ width, height, rgb })).png;
      const raw = { width, height, channels: 3 } as const;
      for (const png of [ours, Buffer.from(ours), await sharp(rgb, { raw }).png({ adaptiveFiltering }).toBuffer()]) {
        const stored = await new StoredPngs().get(png);
        const { data, info } = await sharp(stored).raw().toBuffer({ resolveWithObject: true });
        expect(info).toMatchObject({ width, height, channels: 3 });
        expect(data.equals(rgb)).toBe(true);
        expect(stored.length).toBeGreaterThan(rgb.length);
        expect((await images.get(png)).length).toBe(stored.length);
      }
    }),
    { numRuns: 40 },
  );
});

it("stores the pixels: every block of the data is uncompressed, every row without filter", async () => {
  const [width, height] = [300, 200];
  const { png } = await canonicalFromPixels({ width, height, rgb: noise(width * height * 3, 1) });
  const stored = Buffer.from(await new StoredPngs().get(png));
  const start = stored.indexOf("IDAT");
  const data = stored.subarray(start + 4, start + 4 + stored.readUInt32BE(start - 4));
  const lines = inflateSync(data);
  expect(lines).toHaveLength(height * (1 + width * 3));
  expect(lines.filter((_, at) => at % (1 + width * 3) === 0).every((filter) => filter === 0)).toBe(true);
  expect((data[2]! >> 1) & 3).toBe(0); // RFC 1951, 3.2.3: block type 00 is stored
  expect(data.length).toBeGreaterThan(height * (1 + width * 3));
});

it.each([
  [21_844, 3], // a row to a block, and none to spare
  [21_845, 1],
  [700, 94],
])("decodes to the same pixels at %i x %i", async (width, height) => {
  const rgb = noise(width * height * 3, 5);
  const stored = await new StoredPngs().get((await canonicalFromPixels({ width, height, rgb })).png);
  expect((await sharp(stored, { failOn: "warning" }).raw().toBuffer()).equals(rgb)).toBe(true);
});

it("gives the same bytes back for what is no sound, canonical PNG", async () => {
  const images = new StoredPngs();
  const raw = { width: 40, height: 30, channels: 3 } as const;
  const picture = sharp(noise(40 * 30 * 3, 2), { raw });
  const png = await picture.png().toBuffer();
  const wrongSum = Buffer.from(png);
  wrongSum[wrongSum.length - 20]! ^= 1;
  const others = [
    new Uint8Array(),
    Buffer.from("not an image"),
    await picture.clone().jpeg().toBuffer(),
    await picture.clone().png({ progressive: true }).toBuffer(),
    await picture.clone().png({ palette: true }).toBuffer(),
    await picture.clone().ensureAlpha(0.5).png().toBuffer(),
    await picture.clone().toColourspace("rgb16").png().toBuffer(),
    await picture
      .clone()
      .withExif({ IFD0: { Copyright: "somebody" } })
      .png()
      .toBuffer(),
    png.subarray(0, png.length / 2),
    Buffer.concat([png, Buffer.from("trailing")]),
    wrongSum,
  ];
  for (const bytes of others) expect(Buffer.from(await images.get(bytes)).equals(bytes)).toBe(true);
});

it("remembers by content, so that neither another image nor a change in place is mistaken", async () => {
  const images = new StoredPngs();
  const make = (seed: number) =>
    sharp(noise(40 * 30 * 3, seed), { raw: { width: 40, height: 30, channels: 3 } })
      .png({ compressionLevel: 0 })
      .toBuffer();
  const [one, two] = [await make(1), await make(2)];
  expect(one).toHaveLength(two.length);
  const first = await images.get(one);
  expect(await images.get(Buffer.from(one))).toBe(first);
  one.set(two);
  expect(Buffer.from(await images.get(one)).equals(first)).toBe(false);
});
