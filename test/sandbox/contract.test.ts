/** The sandbox's contract, run over every tier that this machine offers, each forced, and over a remote pool. */
import { type as osType } from "node:os";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONSENT_VARIABLE, CONSENT_WORDS } from "../../src/sandbox/consent.ts";
import { openSandbox } from "../../src/sandbox/index.ts";
import { openRemoteSandbox } from "../../src/sandbox/remote/client.ts";
import { serveSandbox } from "../../src/sandbox/remote/server.ts";
import type { Sandbox, SnippetLimits, SnippetOutcome } from "../../src/sandbox/types.ts";
import { HEIGHT, imageOf, inputPng, pattern, rotated, tiers, WIDTH } from "./support.ts";

const ROTATE = `
import cv2
image = cv2.imread("path_to_input_image.jpg")
ok = cv2.imwrite("rotated.png", cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE))
import os
os.rename("rotated.png", "path_to_output_image.jpg")
`;

/** What a machine may lack. A tier that fails in any other way, its self-test above all, is broken and must not be skipped. */
const ABSENCE = /bubblewrap is not installed|bwrap: |cannot (create|map) |this kernel has no Landlock|needs macOS/;

test("every tier works here or is absent for a known reason, and one works", () => {
  const broken = tiers.filter(({ available, reason }) => !available && !ABSENCE.test(reason ?? ""));
  expect(broken).toEqual([]);
  expect(tiers.some(({ available }) => available)).toBe(true);
});

const options = { workers: 1, limits: { timeoutMs: 20_000 } };

async function openServed(): Promise<Sandbox> {
  const pool = await openSandbox(options);
  const token = "a token for this test alone";
  const server = await serveSandbox({ sandbox: pool, workers: 1, host: "127.0.0.1", port: 0, token });
  const remote = await openRemoteSandbox({ url: server.url, token, ...options });
  const close = async (): Promise<void> => {
    for (const one of [remote, server, pool]) await one.close();
  };
  return { tier: remote.tier, run: (request, how) => remote.run(request, how), close };
}

async function openUnsandboxed(): Promise<Sandbox> {
  process.env[CONSENT_VARIABLE] = CONSENT_WORDS;
  try {
    return await openSandbox({ tier: "unsandboxed", ...options });
  } finally {
    delete process.env[CONSENT_VARIABLE];
  }
}

const ways: { name: string; available: boolean; open: () => Promise<Sandbox> }[] = [
  ...tiers.map(({ tier, available }) => ({
    name: `tier ${tier}`,
    available,
    open: () => openSandbox({ tier, ...options }),
  })),
  { name: "a remote pool", available: true, open: openServed },
  { name: "no sandbox, with consent", available: true, open: openUnsandboxed },
];

/** What the first tier that is tried shows of the machine. */
let shown: string | undefined;

for (const { name, available, open } of ways) {
  describe.skipIf(!available)(`over ${name}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = await open();
    });
    afterAll(() => sandbox?.close());

    const run = (source: string, limits: Partial<SnippetLimits> = {}): Promise<SnippetOutcome> =>
      sandbox.run({ source, image: inputPng, limits });

    async function expectHonestWork(): Promise<void> {
      const outcome = await run(ROTATE);
      expect(outcome).toMatchObject({ status: "ok", stdout: "", stderr: "", exception: null, truncated: false });
      const { width, height, rgb } = imageOf(outcome);
      expect([width, height]).toEqual([HEIGHT, WIDTH]);
      expect(Buffer.from(rgb).equals(Buffer.from(rotated(pattern())))).toBe(true);
    }

    describe("honest snippets", () => {
      test("a lossless rotation gives exactly the rotated pixels", expectHonestWork);

      test("the usual imwrite to .jpg gives them up to JPEG's loss", async () => {
        const source =
          'import cv2\ncv2.imwrite("path_to_output_image.jpg", cv2.rotate(cv2.imread("path_to_input_image.jpg"), 0))';
        const { rgb } = imageOf(await run(source));
        const expected = rotated(pattern());
        const meanError = rgb.reduce((sum, value, index) => sum + Math.abs(value - expected[index]!), 0) / rgb.length;
        expect(meanError).toBeLessThan(4);
      });

      test("no output and an unchanged output are told apart", async () => {
        expect((await run("x = 1")).output).toEqual({ kind: "none" });
        const { rgb } = imageOf(
          await run('import shutil; shutil.copy("path_to_input_image.jpg", "path_to_output_image.jpg")'),
        );
        expect(Buffer.from(rgb).equals(Buffer.from(pattern()))).toBe(true);
      });

      test.each(["PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM"])(
        "%s is accepted whatever the file's name",
        async (format) => {
          const options = format === "WEBP" ? ", lossless=True" : "";
          const source = `from PIL import Image\nImage.new("RGB", (3, 2), (255, 0, 0)).save("path_to_output_image.jpg", "${format}"${options})`;
          expect(imageOf(await run(source))).toEqual({
            kind: "image",
            width: 3,
            height: 2,
            rgb: new Uint8Array(Array.from({ length: 6 }, () => [255, 0, 0]).flat()),
          });
        },
      );

      test.each(["", "1 / 0"])("what waits in a file that stays open is written: %j at the end", async (end) => {
        const source = `import cv2\nfile = open("path_to_output_image.jpg", "wb")\nfile.write(cv2.imencode(".png", cv2.imread("path_to_input_image.jpg"))[1].tobytes())\n${end}`;
        expect(Buffer.from(imageOf(await run(source)).rgb).equals(Buffer.from(pattern()))).toBe(true);
      });

      test("orientation is applied, transparency put on white, 16 bits become 8, CMYK becomes RGB", async () => {
        const save = (image: string, rest: string): Promise<SnippetOutcome> =>
          run(`import numpy as np\nfrom PIL import Image\nimage = ${image}\n${rest}`);
        const turned = await save(
          'Image.new("RGB", (3, 2))',
          'exif = Image.Exif(); exif[0x0112] = 6\nimage.save("path_to_output_image.jpg", "JPEG", exif=exif)',
        );
        expect(imageOf(turned)).toMatchObject({ width: 2, height: 3 });
        const png = 'image.save("path_to_output_image.jpg", "PNG")';
        expect([...imageOf(await save('Image.new("RGBA", (1, 1), (10, 20, 30, 0))', png)).rgb]).toEqual([
          255, 255, 255,
        ]);
        expect([...imageOf(await save("Image.fromarray(np.full((1, 1), 0x80FF, np.uint16))", png)).rgb]).toEqual([
          128, 128, 128,
        ]);
        const tiff = 'image.save("path_to_output_image.jpg", "TIFF")';
        expect([...imageOf(await save('Image.new("CMYK", (1, 1), (0, 0, 0, 255))', tiff)).rgb]).toEqual([0, 0, 0]);
      });

      test("an exception is named, its traceback shows the snippet only, and an image written before it counts", async () => {
        const outcome = await run(`${ROTATE}\ndef f():\n    return missing\nf()`);
        expect(outcome).toMatchObject({ status: "exception", exception: "NameError: name 'missing' is not defined" });
        expect(outcome.stderr).toContain('File "<snippet>", line 10, in <module>');
        expect(outcome.stderr.match(/File "/g)).toHaveLength(2);
        expect(outcome.stderr.trimEnd().endsWith("NameError: name 'missing' is not defined")).toBe(true);
        expect(outcome.output.kind).toBe("image");
      });

      test.each([
        ["sys.exit(0)", "ok", null],
        ["sys.exit()", "ok", null],
        ["sys.exit(3)", "exception", "SystemExit: 3"],
        ["sys.exit('no')", "exception", "SystemExit: no"],
        ["import nothing_like_this", "exception", "ModuleNotFoundError: No module named 'nothing_like_this'"],
        ["def f(:", "exception", "SyntaxError: invalid syntax"],
        ["raise ValueError('a\\nb')", "exception", "ValueError: a"],
      ])("%s", async (source, status, exception) => {
        expect(await run(`import sys\n${source}`)).toMatchObject({ status, exception });
      });

      test.each([
        ["a NUL", "x = '\0'"],
        ["a lone surrogate", "print('\ud800')"],
        ["astral text", "print('\u{1F600}')"],
        ["a byte order mark", "\uFEFFprint(1)"],
        ["nothing", ""],
        ["a megabyte", `#${"x".repeat(1 << 20)}`],
        ["deep nesting", "(".repeat(10_000)],
      ])("source with %s is an outcome, never a crash", async (_, source) => {
        expect((await run(source)).status).toMatch(/^(ok|exception|killed)$/);
        await expectHonestWork();
      });

      test("printed text arrives, up to the limit, with odd characters", async () => {
        expect(await run("import sys\nprint('\u00e9\u4e2d', chr(0xd800))\nprint('e', file=sys.stderr)")).toMatchObject({
          stdout: "\u00e9\u4e2d \\ud800\n",
          stderr: "e\n",
          truncated: false,
        });
        const long = await run("print('x' * 1000)", { outputBytes: 100 });
        expect(long).toMatchObject({ status: "ok", stdout: "x".repeat(100), truncated: true });
      });

      test("randomness and hashes repeat", async () => {
        const source =
          "import random, numpy, cv2\nprint(random.random(), numpy.random.rand(), hash('a'), cv2.randn(numpy.zeros(3), 0, 1))";
        const first = await run(source);
        expect(first.status).toBe("ok");
        expect((await run(source)).stdout).toBe(first.stdout);
      });

      test("each snippet starts in a fresh folder that holds the input only", async () => {
        const source = "import os; print(sorted(os.listdir('.'))); open('left behind', 'w')";
        for (let round = 0; round < 2; round++)
          expect((await run(source)).stdout).toBe("['path_to_input_image.jpg']\n");
      });

      test("lazy parts of the libraries import", async () => {
        const source = `
import numpy, cv2, dataclasses, decimal, fractions, csv, zipfile, json
import numpy.testing, numpy.lib.stride_tricks, PIL.ImageMorph, PIL.PngImagePlugin, unittest.mock, html.parser, concurrent.futures
print(numpy.fft.fft(numpy.ones(4))[0].real, numpy.linalg.det(numpy.eye(3)))`;
        expect(await run(source)).toMatchObject({ status: "ok", stdout: "4.0 1.0\n" });
      });

      test("every tier shows the same machine: its name, its locale, a text layout, somewhere to write what nobody reads", async () => {
        const source = `
import contextlib, locale, os, platform, socket
from PIL import features
print(platform.system(), platform.node(), os.uname().nodename, socket.gethostname(), platform.machine() == os.uname().machine != "")
print(locale.setlocale(locale.LC_ALL, ""), locale.getpreferredencoding())
with open(os.devnull, "w") as null, contextlib.redirect_stdout(null): print("unheard")
print(sorted(features.get_supported()))`;
        const { status, stdout } = await run(source);
        expect(status).toBe("ok");
        expect(stdout.split("\n")[0]).toBe(`${osType()} sandbox sandbox sandbox True`);
        shown ??= stdout;
        expect(stdout).toBe(shown);
      });

      test("a large image passes both ways", async () => {
        const [width, height] = [2000, 1500];
        const image = await sharp(pattern(width, height), { raw: { width, height, channels: 3 } })
          .png()
          .toBuffer();
        const source =
          'from PIL import Image\nImage.open("path_to_input_image.jpg").save("path_to_output_image.jpg", "BMP")';
        const { rgb } = imageOf(await sandbox.run({ source, image }));
        expect(Buffer.from(rgb).equals(Buffer.from(pattern(width, height)))).toBe(true);
      });
    });
  });
}
