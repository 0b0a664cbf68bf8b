/** The code tool over the strongest sandbox of this machine: what becomes of everything a snippet can write. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalFromPixels, pixelsOf, type CanonicalImage } from "../../core/images.ts";
import { environmentPython } from "../../core/installation.ts";
import type { ToolRun } from "../../core/records.ts";
import { openSandbox } from "../../sandbox/index.ts";
import type { Sandbox } from "../../sandbox/types.ts";
import { runTool } from "../tool.ts";
import { codeTool } from "./index.ts";
import { memoisedSandbox } from "./memo.ts";

function sandboxAbsent(): boolean {
  try {
    environmentPython("sandbox");
    return false;
  } catch (error) {
    process.stderr.write(`SKIPPED: the code tool: ${String(error)}\n`);
    return true;
  }
}

const WIDTH = 24;
const HEIGHT = 20;
const { signal } = new AbortController();
const HEAD = 'import cv2, os, numpy as np\nfrom PIL import Image\nOUT = "path_to_output_image.jpg"\n';

describe.skipIf(sandboxAbsent())("the code tool", () => {
  let sandbox: Sandbox;
  let image: CanonicalImage;
  beforeAll(async () => {
    sandbox = await openSandbox({ workers: 1 });
    // image[y][x] = (10 x, 12 y, 5 (x + y)): no two rows or columns alike.
    const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) rgb.set([10 * x, 12 * y, 5 * (x + y)], (y * WIDTH + x) * 3);
    }
    image = await canonicalFromPixels({ width: WIDTH, height: HEIGHT, rgb });
  });
  afterAll(() => sandbox.close());

  async function ran(source: string, of = image): Promise<{ run: ToolRun; image: CanonicalImage | undefined }> {
    const { run, images } = await runTool(codeTool(sandbox, 20_000), { source }, { image: of, signal });
    return { run, image: images[0] };
  }

  /** Size and pixels of what a snippet made, [[width, height], pixel, pixel ...] in rows. */
  async function made(source: string): Promise<number[][]> {
    const { run, image: processed } = await ran(HEAD + source);
    if (processed === undefined) throw new Error(`no image: ${JSON.stringify(run)}`);
    const { width, height, rgb } = await pixelsOf(processed);
    const pixels = Array.from({ length: width * height }, (_, index) => [...rgb.subarray(index * 3, index * 3 + 3)]);
    return [[width, height], ...pixels];
  }

  it("a remembered outcome is encoded once: rollouts that wrote the same share the image", async () => {
    const tool = codeTool(memoisedSandbox(sandbox), 20_000);
    const source = `${HEAD}cv2.imwrite(OUT, cv2.flip(cv2.imread("path_to_input_image.jpg"), 0))`;
    const call = () => runTool(tool, { source }, { image, signal });
    const together = await Promise.all([call(), call()]);
    const all = [...together, await call()].map(({ images, run }) => ({ image: images[0], detail: run.detail }));
    expect(all[0]?.image).toBeDefined();
    expect(all[1]?.image).toBe(all[0]?.image);
    expect(all[2]?.image).toBe(all[0]?.image);
    expect(all.map(({ detail }) => detail["unchanged"])).toEqual([false, false, false]);
  });

  describe("processed images", () => {
    it.each([
      ["bare", HEAD, ""],
      ["in a fence", `\`\`\`python\n${HEAD}`, "\n```"],
      ["with a slash before the paths", HEAD.replace('"path', '"/path'), ""],
    ])("code %s turns the image, which replaces the current one", async (_, before, after) => {
      const turn = 'Image.open("path_to_input_image.jpg").transpose(Image.Transpose.ROTATE_270).save(OUT, "PNG")';
      const { run, image: processed } = await ran(before + turn + after);
      expect(run).toMatchObject({
        status: "ok",
        text: null,
        replacesImage: true,
        images: [processed?.sha256],
        detail: { snippet: "ok", output: "image", width: HEIGHT, height: WIDTH, unchanged: false },
      });
      const { rgb } = await pixelsOf(processed as CanonicalImage);
      // Clockwise: out[x][HEIGHT - 1 - y] = in[y][x].
      for (const [x, y] of [[0, 0] as const, [5, 3] as const, [WIDTH - 1, HEIGHT - 1] as const]) {
        const at = (x * HEIGHT + HEIGHT - 1 - y) * 3;
        expect([...rgb.subarray(at, at + 3)]).toEqual([10 * x, 12 * y, 5 * (x + y)]);
      }
    });

    it.each([
      ["transparency is put on white", 'Image.new("RGBA", (1, 1), (10, 20, 30, 0)).save(OUT, "PNG")', [255, 255, 255]],
      // 0.2 * 100 + 0.8 * 255 = 224, 255 for blue: 51 / 255 = 0.2.
      ["half of it half", 'Image.new("RGBA", (1, 1), (100, 100, 255, 51)).save(OUT, "PNG")', [224, 224, 255]],
      ["grey with alpha", 'Image.new("LA", (1, 1), (7, 255)).save(OUT, "PNG")', [7, 7, 7]],
      ["grey", 'Image.new("L", (1, 1), 77).save(OUT, "PNG")', [77, 77, 77]],
      ["black and white", 'Image.new("1", (1, 1), 1).save(OUT, "PNG")', [255, 255, 255]],
      ["a palette", 'i = Image.new("P", (1, 1), 1); i.putpalette([0, 0, 0, 9, 8, 7]); i.save(OUT, "PNG")', [9, 8, 7]],
      [
        "a palette's clear colour",
        'i = Image.new("P", (1, 1), 1); i.putpalette([0, 0, 0, 9, 8, 7]); i.save(OUT, "PNG", transparency=1)',
        [255, 255, 255],
      ],
      // 0x80ff / 256 = 128.99, 0x0100 / 256 = 1, 0xffff / 256 = 255.99: the high byte, as for images that come in.
      ["16-bit grey", 'Image.fromarray(np.full((1, 1), 0x80FF, np.uint16)).save(OUT, "PNG")', [128, 128, 128]],
      [
        "16-bit colour",
        'cv2.imwrite("x.png", np.array([[[0x0100, 0x80FF, 0xFFFF]]], np.uint16)); os.rename("x.png", OUT)',
        [255, 128, 1],
      ],
      // No ink but black: 255 - 55 = 200.
      ["CMYK", 'Image.new("CMYK", (1, 1), (0, 0, 0, 55)).save(OUT, "TIFF")', [200, 200, 200]],
      // BGR in OpenCV.
      ["BMP", 'cv2.imwrite("x.bmp", np.array([[[1, 2, 3]]], np.uint8)); os.rename("x.bmp", OUT)', [3, 2, 1]],
      ["WebP", 'Image.new("RGB", (1, 1), (4, 5, 6)).save(OUT, "WEBP", lossless=True)', [4, 5, 6]],
      ["TIFF", 'Image.new("RGB", (1, 1), (4, 5, 6)).save(OUT, "TIFF")', [4, 5, 6]],
      [
        "the first picture of a film",
        'a, b = (Image.new("RGB", (1, 1), c) for c in ("red", "blue")); a.save(OUT, "GIF", save_all=True, append_images=[b])',
        [255, 0, 0],
      ],
    ])("%s", async (_, source, pixel) => {
      expect(await made(source)).toEqual([[1, 1], pixel]);
    });

    it("CMYK JPEG is not inverted", async () => {
      const [size, pixel] = await made('Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(OUT, "JPEG", quality=100)');
      expect(size).toEqual([8, 8]);
      // All cyan, no other ink: no red, all green and blue, up to JPEG's rounding.
      for (const [channel, value] of [0, 255, 255].entries()) {
        expect(Math.abs((pixel?.[channel] ?? NaN) - value)).toBeLessThanOrEqual(2);
      }
    });

    it.each([
      // Rows a b / c d / e f. What each EXIF orientation shows, by the table of the EXIF standard.
      [1, "ab cd ef"],
      [2, "ba dc fe"],
      [3, "fe dc ba"],
      [4, "ef cd ab"],
      [5, "ace bdf"],
      [6, "eca fdb"],
      [7, "fdb eca"],
      [8, "bdf ace"],
    ])("EXIF orientation %i is applied", async (orientation, expected) => {
      const [size, ...pixels] = await made(
        `exif = Image.Exif(); exif[0x0112] = ${orientation}
Image.fromarray(np.repeat(np.arange(97, 103, dtype=np.uint8).reshape(3, 2, 1), 3, 2)).save(OUT, "PNG", exif=exif)`,
      );
      const letters = String.fromCharCode(...pixels.map(([red]) => red ?? 0));
      const rows = letters.match(new RegExp(`.{${size?.[0] ?? 1}}`, "g"))?.join(" ");
      expect(rows).toBe(expected);
    });

    it("the last of several writings counts", async () => {
      const write = (value: number): string => `Image.new("L", (1, 1), ${value}).save(OUT, "PNG")\n`;
      expect(await made(write(1) + write(2))).toEqual([
        [1, 1],
        [2, 2, 2],
      ]);
    });
  });

  describe("what is no processed image", () => {
    it.each([
      ["nothing", "x = 1", "The result belongs in path_to_output_image.jpg."],
      [
        "another file",
        'Image.new("L", (1, 1)).save("path_to_output_image.png")',
        "The result belongs in path_to_output_image.jpg; found path_to_output_image.png.",
      ],
      [
        "many files, with odd names",
        'for n in ("a\\n<answer>", *map(str, range(7))): open(n, "w").close()',
        "The result belongs in path_to_output_image.jpg; found 0, 1, 2, 3, 4, 3 more.",
      ],
      ["a name that is not printable", 'open("a\\n\\u202e.png", "w").close()', "found 'a\\n\\u202e.png'."],
    ])("%s: the observation says where it belongs", async (_, source, text) => {
      const { run } = await ran(HEAD + source);
      expect(run).toMatchObject({ status: "ok", images: [], replacesImage: false, detail: { output: "none" } });
      expect(run.text).toContain(text);
    });

    it.each([
      ["an empty file", 'open(OUT, "w").close()', "the output file is empty"],
      ["text", 'open(OUT, "w").write("hello")', "not an image in one of PNG, JPEG"],
      ["half a JPEG", 'Image.new("RGB", (99, 99)).save(OUT); os.truncate(OUT, 400)', "cannot be decoded"],
      ["a folder", "os.mkdir(OUT)", "not a regular file"],
      [
        "20000 x 20000 pixels",
        'import struct, zlib\nc = lambda k, d: struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d))\nopen(OUT, "wb").write(b"\\x89PNG\\r\\n\\x1a\\n" + c(b"IHDR", struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)) + c(b"IDAT", zlib.compress(b"")) + c(b"IEND", b""))',
        "20000x20000 is 400000000 pixels, at most 64000000",
      ],
    ])("%s is refused with the reason", async (_, source, reason) => {
      const { run } = await ran(HEAD + source);
      expect(run).toMatchObject({ status: "failed", images: [], replacesImage: false, detail: { output: "refused" } });
      expect(run.text).toContain(`the output image was refused: `);
      expect(run.text).toContain(reason);
    });

    it.each([
      ['cv2.imwrite(OUT, cv2.imread("path_to_input_image.jpg"))', "OpenCV's JPEG"],
      ['Image.open("path_to_input_image.jpg").save(OUT)', "Pillow's JPEG"],
      ['Image.open("path_to_input_image.jpg").save(OUT, "PNG")', "the same pixels"],
    ])("%s is an unchanged image: %s", async (source) => {
      const { run } = await ran(HEAD + source);
      expect(run).toMatchObject({
        status: "ok",
        replacesImage: true,
        text: "The image did not change.",
        detail: { unchanged: true },
      });
    });

    it.each([
      ["one pixel", "i[3, 3] = 255 - i[3, 3]"],
      ["brighter by 6", "i = cv2.add(i, (6, 6, 6, 0))"],
      ["a thin line", "cv2.line(i, (2, 15), (12, 18), (0, 0, 255), 1)"],
    ])("%s is a change, also as JPEG", async (_, change) => {
      const { run } = await ran(`${HEAD}i = cv2.imread("path_to_input_image.jpg")\n${change}\ncv2.imwrite(OUT, i)`);
      expect(run).toMatchObject({ text: null, detail: { unchanged: false } });
    });
  });

  describe("failures and prints", () => {
    it("what was printed comes before the error, which is never cut off", async () => {
      const { run } = await ran('open("path_to_input_image.jpg")\nprint("p" * 60000)\nraise ValueError("no" * 3000)');
      expect(run).toMatchObject({ status: "failed", detail: { snippet: "exception" } });
      expect(run.text).toMatch(/^p{2500} … \(57500 more\)\nValueError: (no)+ … \(\d+ more\)$/);
    });

    it("an image written before an exception is none", async () => {
      const { run } = await ran(`${HEAD}Image.open("path_to_input_image.jpg").rotate(9).save(OUT)\n1 / 0`);
      expect(run).toMatchObject({ status: "failed", images: [], text: "ZeroDivisionError: division by zero" });
    });

    it("who asks for another file learns the image's name", async () => {
      const { run } = await ran('from PIL import Image\nImage.open("/path/to/image.jpg")');
      expect(run.text).toMatch(/^FileNotFoundError: .* \(the image is path_to_input_image\.jpg\)$/);
    });

    it("works on a single pixel, and needs an image", async () => {
      const tiny = await canonicalFromPixels({ width: 1, height: 1, rgb: new Uint8Array([9, 8, 7]) });
      const source = `${HEAD}i = Image.open("path_to_input_image.jpg"); print(i.getpixel((0, 0))); i.resize((2, 1)).save(OUT, "PNG")`;
      const { run } = await ran(source, tiny);
      expect(run).toMatchObject({ text: "(9, 8, 7)", detail: { width: 2, height: 1 } });
      const none = await runTool(codeTool(sandbox, 1000), { source }, { image: null, signal });
      expect(none.run).toMatchObject({ status: "failed", text: "there is no image to work on" });
    });
  });
});
