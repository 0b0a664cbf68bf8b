import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { canonicalFromPixels, canonicalImage, croppedPixels, pixelsOf } from "./images.ts";

const red = { r: 255, g: 0, b: 0 };

/** A PNG of that size whose pixels are missing. */
function pngHeader(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.alloc(0))), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}

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

  it.each([
    // Files by Pillow 13; what they hold is in the names.
    [
      "the first picture of a film of red, then blue",
      "R0lGODdhAgABAIEAAP8AAAAAAAAAAAAAACwAAAAAAgABAAAIBQABAAgIACH5BAEAAAEALAAAAAACAAEAgQAA/wAAAAAAAAAAAAgFAAEACAgAOw==",
      [255, 0, 0, 255, 0, 0],
    ],
    [
      "a palette, its second colour clear",
      "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABAQMAAADO7O3JAAAABlBMVEUJCAcBAgOFMsJwAAAAAnRSTlP/AOW3MEoAAAAKSURBVHicY3AAAABCAEEpN/TvAAAAAElFTkSuQmCC",
      [9, 8, 7, 255, 255, 255],
    ],
    [
      "16-bit grey 0, 0x80ff, 0xffff: the high bytes",
      "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABEAAAAABuG5crAAAAD0lEQVR4nGNgYGj4//8/AAgBA34FGbwIAAAAAElFTkSuQmCC",
      [0, 0, 0, 128, 128, 128, 255, 255, 255],
    ],
    [
      "black and white",
      "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABAQAAAAAzmykZAAAACklEQVR4nGN4AAAA4gDhFXZEAAAAAABJRU5ErkJggg==",
      [255, 255, 255, 255, 255, 255, 255, 255, 255],
    ],
    [
      // 0.2 * 100 + 0.8 * 255 = 224.
      "grey 100 with a fifth of alpha",
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR4nGNIMQYAAP4AmPUKif0AAAAASUVORK5CYII=",
      [224, 224, 224],
    ],
  ])("%s", async (name, base64, expected) => {
    expect([...(await pixelsOf(await canonicalImage(Buffer.from(base64, "base64"), name))).rgb]).toEqual(expected);
  });

  it("CMYK JPEG as Adobe writes it, inverted, is not inverted: cyan has no red", async () => {
    const cyan =
      "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdoZz5NcXlwZHhcZWdj/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABQAAQAAAAAAAAAAAAAAAAAAAAf/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oADgRDAE0AWQBLAAA/AD8gEAgP/9k=";
    const [red = NaN, green = NaN, blue = NaN] = (
      await pixelsOf(await canonicalImage(Buffer.from(cyan, "base64"), "x"))
    ).rgb;
    // A printer's cyan, not a screen's.
    expect([red < 60, green > 120, blue > 180]).toEqual([true, true, true]);
  });

  it.each([
    // Rows ab / cd / ef; what each orientation shows, by the table of the EXIF standard.
    [1, "ab cd ef"],
    [2, "ba dc fe"],
    [3, "fe dc ba"],
    [4, "ef cd ab"],
    [5, "ace bdf"],
    [6, "eca fdb"],
    [7, "fdb eca"],
    [8, "bdf ace"],
  ])("orientation %i is applied", async (orientation, expected) => {
    const tiff = await sharp(Buffer.from("abcdef"), { raw: { width: 2, height: 3, channels: 1 } })
      .withMetadata({ orientation })
      .tiff({ compression: "none" })
      .toBuffer();
    const { width, rgb } = await pixelsOf(await canonicalImage(tiff, "x"));
    const letters = String.fromCharCode(...rgb.filter((_, index) => index % 3 === 0));
    expect(letters.match(new RegExp(`.{${width}}`, "g"))?.join(" ")).toBe(expected);
  });

  it("takes what a large camera gives, and says how much is too much", async () => {
    const grey = (width: number, height: number) =>
      sharp({ create: { width, height, channels: 3, background: "#808080" } })
        .jpeg()
        .toBuffer();
    expect(await canonicalImage(await grey(6000, 4500), "x")).toMatchObject({ width: 6000, height: 4500 });
    await expect(canonicalImage(pngHeader(20000, 20000), "huge.png")).rejects.toMatchObject({
      code: "data.image_too_large",
      message: "huge.png: more than 200000000 pixels",
    });
  });

  it("refuses what is no image, naming it", async () => {
    for (const bytes of [Buffer.from("hello"), Buffer.alloc(0), Buffer.from("\x89PNG\r\n\x1a\nbroken")]) {
      await expect(canonicalImage(bytes, "photo.png")).rejects.toMatchObject({
        code: "data.not_an_image",
        message: expect.stringContaining("photo.png") as string,
      });
    }
    for (const [width, height] of [
      [2, 2],
      [0, 2],
    ] as const) {
      await expect(canonicalFromPixels({ width, height, rgb: new Uint8Array(3 * width) })).rejects.toMatchObject({
        code: "data.bad_pixels",
      });
    }
  });
});

describe("pixels", () => {
  const rgb = Uint8Array.from({ length: 6 * 5 * 3 }, (_, at) => at);
  const image = () => canonicalFromPixels({ width: 6, height: 5, rgb });

  it("are a copy: who writes to what went in or came out changes no image", async () => {
    const mine = rgb.slice();
    const made = await canonicalFromPixels({ width: 6, height: 5, rgb: mine });
    mine.fill(0);
    (await pixelsOf(made)).rgb.fill(0);
    const whole = { left: 0, top: 0, width: 6, height: 5 };
    (await croppedPixels(made, whole)).rgb.fill(0);
    // Another reader of the same file has to decode it.
    for (const one of [made, { ...made, png: Uint8Array.from(made.png) }]) {
      expect((await pixelsOf(one)).rgb).toEqual(rgb);
      expect((await croppedPixels(one, whole)).rgb).toEqual(rgb);
    }
  });

  it("of a region are those of sharp", async () => {
    const region = { left: 2, top: 1, width: 3, height: 4 };
    const one = await image();
    const expected = await sharp(one.png).extract(region).raw().toBuffer();
    expect(await croppedPixels(one, region)).toEqual({ width: 3, height: 4, rgb: new Uint8Array(expected) });
  });

  it.each([
    { left: 4, top: 0, width: 3, height: 1 },
    { left: 0, top: 4, width: 1, height: 2 },
    { left: -1, top: 0, width: 2, height: 1 },
    { left: 0, top: 0, width: 0, height: 1 },
    { left: 0.5, top: 0, width: 1, height: 1 },
  ])("of a region outside the image are refused: %o", async (region) => {
    await expect(croppedPixels(await image(), region)).rejects.toThrow("which is 6 x 5");
  });
});
