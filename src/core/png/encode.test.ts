import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { encodePng } from "./encode.ts";

/** Pictures from the best to the worst case of an encoder. */
const KINDS = {
  flat: () => 200,
  ramp: (x: number, y: number) => x + 2 * y,
  stripes: (x: number) => (x >> 5) * 90,
  text: (x: number, y: number) => ((Math.imul(x >> 3, 73) ^ Math.imul(y >> 4, 151)) % 7 === 0 ? 0 : 255),
  photograph: (x: number, y: number, noise: number) => 120 + 90 * Math.sin(x / 40) * Math.cos(y / 25) + noise / 20,
  noise: (_x: number, _y: number, noise: number) => noise,
} as const;

function picture(kind: keyof typeof KINDS, width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const noise = (Math.imul(at + 7, 2_654_435_761) >>> 13) & 0xff;
    return KINDS[kind](Math.floor(at / 3) % width, Math.floor(at / (3 * width)), noise);
  });
}

/** By libpng. */
async function decoded(png: Uint8Array): Promise<{ width: number; height: number; channels: number; rgb: Buffer }> {
  const { data, info } = await sharp(png, { failOn: "warning" }).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, rgb: data };
}

/** The filtered lines, by zlib, which checks Adler's sum. */
function inflated(png: Buffer): Buffer {
  const start = png.indexOf("IDAT");
  return inflateSync(png.subarray(start + 4, start + 4 + png.readUInt32BE(start - 4)));
}

describe("encodePng", () => {
  const kinds = fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[]));
  const side = fc.integer({ min: 1, max: 90 });

  it("decodes to the same pixels", () =>
    fc.assert(
      fc.asyncProperty(kinds, side, side, async (kind, width, height) => {
        const rgb = picture(kind, width, height);
        const png = await encodePng(width, height, rgb);
        expect(inflated(png)).toHaveLength(height * (1 + width * 3));
        expect(await decoded(png)).toEqual({ width, height, channels: 3, rgb: Buffer.from(rgb) });
      }),
      { numRuns: 150 },
    ));

  it("whatever the bytes are", () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 3, maxLength: 300 }), async (bytes) => {
        const width = Math.floor(bytes.length / 3);
        const rgb = bytes.subarray(0, width * 3);
        expect((await decoded(await encodePng(width, 1, rgb))).rgb.equals(rgb)).toBe(true);
        expect((await decoded(await encodePng(1, width, rgb))).rgb.equals(rgb)).toBe(true);
      }),
    ));

  it.each([
    ["several strips", 700, 900],
    ["a row longer than a strip", 50_000, 3],
  ])("%s", async (_name, width, height) => {
    const rgb = picture("photograph", width, height);
    expect((await decoded(await encodePng(width, height, rgb))).rgb.equals(rgb)).toBe(true);
  });

  it("reads a part of a larger memory, at any address", async () => {
    const rgb = picture("photograph", 31, 17);
    const png = await encodePng(31, 17, rgb);
    for (const offset of [1, 2, 3]) {
      const memory = new Uint8Array(rgb.length + 8);
      memory.set(rgb, offset);
      expect((await encodePng(31, 17, memory.subarray(offset, offset + rgb.length))).equals(png)).toBe(true);
    }
  });

  it("keeps photographs and flat areas small", async () => {
    const bytes = 400 * 300 * 3;
    const size = async (kind: keyof typeof KINDS): Promise<number> =>
      (await encodePng(400, 300, picture(kind, 400, 300))).length;
    expect(await size("flat")).toBeLessThan(bytes / 200);
    expect(await size("text")).toBeLessThan(bytes / 10);
    expect(await size("photograph")).toBeLessThan(bytes / 2);
    expect(await size("noise")).toBeLessThan(bytes * 1.01);
  });

  // Names of images in run folders: the same under every supported version of Node.
  it.each([
    ["flat", "c09a3b85a63e04459c2af96c0d06615a3737c55c718c43fb2393bc37a764509e"],
    ["text", "214c49c7c276873498296aa4b80fa863886d21fd7c7cf7fee12aba6962c3bde8"],
    ["ramp", "1ae92cb2884cee70b87ec97b52241947e3017fd91d6cbfd44c4ceb5054a220af"],
    ["noise", "8ea78e28a279deb804bd540c853f7606e93331387dfecf09af6dabd7e6106cf9"],
  ] as const)("the bytes of %s are always the same", async (kind, sha256) => {
    const png = await encodePng(640, 480, picture(kind, 640, 480));
    expect(createHash("sha256").update(png).digest("hex")).toBe(sha256);
  });
});
