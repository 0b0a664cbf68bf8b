import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { canonicalFromPixels, canonicalImage, pixelsOf } from "./images.ts";

const red = { r: 255, g: 0, b: 0 };

describe("canonicalImage", () => {
  it("gives the same hash for the same pixels, whatever the file", async () => {
    const rgb = new Uint8Array(Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 7) % 256));
    const direct = await canonicalFromPixels({ width: 5, height: 4, rgb });
    const raw = { raw: { width: 5, height: 4, channels: 3 as const } };
    for (const encoded of [
      sharp(rgb, raw).png({ compressionLevel: 1 }),
      sharp(rgb, raw).tiff({ compression: "none" }),
      sharp(rgb, raw).webp({ lossless: true }),
    ]) {
      expect((await canonicalImage(await encoded.toBuffer(), "x")).sha256).toBe(direct.sha256);
    }
    expect(Buffer.from((await pixelsOf(direct)).rgb).equals(Buffer.from(rgb))).toBe(true);
  });

  it("applies the orientation", async () => {
    const jpeg = await sharp({ create: { width: 30, height: 20, channels: 3, background: red } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    expect(await canonicalImage(jpeg, "x")).toMatchObject({ width: 20, height: 30 });
  });

  it("puts transparency on white and makes grey, CMYK and 16-bit files RGB8", async () => {
    const clear = await sharp({ create: { width: 1, height: 1, channels: 4, background: { ...red, alpha: 0 } } })
      .png()
      .toBuffer();
    const files = {
      clear,
      grey: await sharp({ create: { width: 1, height: 1, channels: 3, background: "#808080" } })
        .greyscale()
        .png()
        .toBuffer(),
      deep: await sharp({ create: { width: 1, height: 1, channels: 3, background: "#808080" } })
        .toColourspace("rgb16")
        .png()
        .toBuffer(),
      cmyk: await sharp({ create: { width: 8, height: 8, channels: 3, background: "#ffffff" } })
        .toColourspace("cmyk")
        .jpeg()
        .toBuffer(),
    };
    const read = await Promise.all(
      Object.entries(files).map(async ([name, bytes]) => {
        const { width, height, rgb } = await pixelsOf(await canonicalImage(bytes, name));
        return [name, rgb.length === width * height * 3, ...rgb.subarray(0, 3)];
      }),
    );
    expect(read).toEqual([
      ["clear", true, 255, 255, 255],
      ["grey", true, 128, 128, 128],
      ["deep", true, 128, 128, 128],
      ["cmyk", true, 255, 255, 255],
    ]);
  });

  it("refuses what is no image, naming it", async () => {
    for (const bytes of [Buffer.from("hello"), Buffer.alloc(0), Buffer.from("\x89PNG\r\n\x1a\nbroken")]) {
      await expect(canonicalImage(bytes, "photo.png")).rejects.toMatchObject({
        code: "data.not_an_image",
        message: expect.stringContaining("photo.png") as string,
      });
    }
    await expect(canonicalFromPixels({ width: 2, height: 2, rgb: new Uint8Array(3) })).rejects.toMatchObject({
      code: "data.bad_pixels",
    });
  });
});
