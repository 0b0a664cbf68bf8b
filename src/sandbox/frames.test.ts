import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteQueue, encodeRequest, readResponse } from "./frames.ts";
import { defaultLimits } from "./limits.ts";

const sound = {
  id: 7,
  status: "ok",
  exception: null,
  truncated: false,
  durationMs: 1,
  output: { kind: "none" },
  stdoutBytes: 0,
  stderrBytes: 0,
  rgbBytes: 0,
};

function framed(header: unknown, ...payloads: Uint8Array[]): Buffer {
  const encoded = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(encoded.length);
  return Buffer.concat([length, encoded, ...payloads]);
}

function queueOf(data: Buffer, pieces = 1): ByteQueue {
  const queue = new ByteQueue();
  const size = Math.max(1, Math.ceil(data.length / pieces));
  for (let start = 0; start < data.length; start += size) queue.push(data.subarray(start, start + size));
  queue.end(new Error("end of stream"));
  return queue;
}

const read = (data: Buffer, pieces = 1): ReturnType<typeof readResponse> =>
  readResponse(queueOf(data, pieces), 7, defaultLimits);

/** An error that says what is wrong, or an outcome that holds what its own fields say. */
function isExpected(outcome: Awaited<ReturnType<typeof read>> | Error): boolean {
  if (outcome instanceof Error) return /header|limits|end of stream/.test(outcome.message);
  const { output, stdout, stderr } = outcome;
  const pixels = output.kind === "image" ? output.width * output.height * 3 === output.rgb.length : !("rgb" in output);
  return pixels && stdout.length <= 200 && stderr.length <= 200 && outcome.status === sound.status;
}

describe("responses", () => {
  test("text and pixels arrive whole, however the pipe cuts them", async () => {
    const rgb = Uint8Array.from({ length: 18 }, (_, index) => index);
    const header = {
      ...sound,
      output: { kind: "image", width: 3, height: 2 },
      stdoutBytes: 2,
      stderrBytes: 3,
      rgbBytes: 18,
    };
    const data = framed(header, Buffer.from("ab"), Buffer.from("\u4e2d"), rgb);
    for (let pieces = 1; pieces <= data.length; pieces++) {
      expect(await read(data, pieces)).toMatchObject({
        stdout: "ab",
        stderr: "\u4e2d",
        output: { kind: "image", width: 3, height: 2, rgb },
      });
    }
  });

  test.each([
    ["another request's id", { ...sound, id: 8 }],
    ["a status that only the host gives", { ...sound, status: "lost" }],
    ["pixels without an image", { ...sound, rgbBytes: 3 }],
    ["fewer pixels than the size says", { ...sound, output: { kind: "image", width: 2, height: 2 }, rgbBytes: 9 }],
    [
      "an image over the cap",
      { ...sound, output: { kind: "image", width: 64_000_001, height: 1 }, rgbBytes: 192_000_003 },
    ],
    ["an empty image", { ...sound, output: { kind: "image", width: 0, height: 5 } }],
    ["more stdout than the limit", { ...sound, stdoutBytes: defaultLimits.outputBytes + 1 }],
    ["negative sizes", { ...sound, stdoutBytes: -1 }],
    ["an unknown field", { ...sound, answer: 42 }],
    ["no JSON", "{"],
    ["no object", "null"],
  ])("%s is refused", async (_, header) => {
    await expect(read(framed(header, Buffer.alloc(64)))).rejects.toThrow(/header|limits/);
  });

  test("a header longer than its bound is refused before it is read", async () => {
    await expect(read(Buffer.from([0xff, 0xff, 0xff, 0xff]))).rejects.toThrow("header of 4294967295 bytes");
  });

  test("arbitrary bytes are an error or an end of stream, never a hang and never an outcome", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await expect(read(Buffer.from(bytes))).rejects.toThrow(/header|limits|end of stream/);
      }),
    );
  });

  test("a sound header with any field replaced is an error, or an outcome within the limits", async () => {
    const field = fc.constantFrom(...Object.keys(sound), "__proto__", "constructor", "width");
    const small = fc.oneof(fc.jsonValue(), fc.integer({ min: -4, max: 40 }), fc.double());
    await fc.assert(
      fc.asyncProperty(fc.dictionary(field, small), fc.integer({ min: 0, max: 4 }), async (changes, width) => {
        const output = width === 0 ? sound.output : { kind: "image", width, height: 2 };
        const header = { ...sound, rgbBytes: width * 6, output, ...changes };
        const outcome = await read(framed(header, Buffer.alloc(200, 0xc3))).catch((error: unknown) => error as Error);
        expect(isExpected(outcome)).toBe(true);
      }),
    );
  });
});

test("requests carry sizes in bytes, whatever the source holds", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.uint8Array(), (source, image) => {
      const [prefix, header, body, sent] = encodeRequest(1, { source, image }, defaultLimits);
      expect(Buffer.from(prefix!).readUInt32LE(1)).toBe(header!.length);
      const parsed: unknown = JSON.parse(Buffer.from(header!).toString());
      expect(parsed).toEqual({ id: 1, sourceBytes: body!.length, imageBytes: image.length, limits: defaultLimits });
      expect(sent).toBe(image);
    }),
  );
});
