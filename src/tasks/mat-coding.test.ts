import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadMatCoding } from "./mat-coding.ts";

describe("a benchmark file", () => {
  const good = {
    id: 1,
    question: "q",
    answers: ["a"],
    ori_image_path: "ori.png",
    processed_image_path: "sub/proc.png",
    type: ["dark"],
    split: "simple",
  };
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "varft-mat-"));
    await mkdir(join(folder, "images/sub"), { recursive: true });
    const pixel = (width: number): Promise<Buffer> =>
      sharp({ create: { width, height: 2, channels: 3, background: "#123456" } })
        .png()
        .toBuffer();
    await writeFile(join(folder, "images/ori.png"), await pixel(3));
    await writeFile(join(folder, "images/sub/proc.png"), await pixel(4));
    await writeFile(join(folder, "images/text.png"), "this is text");
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function tasksOf(...records: unknown[]): ReturnType<typeof loadMatCoding> {
    const file = join(folder, "MAT-Coding.json");
    await writeFile(file, JSON.stringify(records));
    return loadMatCoding(file, join(folder, "images"));
  }

  it("gives compound crop cases their original image", async () => {
    const tasks = await tasksOf(good, { ...good, id: 2, type: ["dark", "crop"] });
    expect((await tasks.load(0)).images[0]?.width).toBe(4);
    expect((await tasks.load(1)).images[0]?.width).toBe(3);
    expect(tasks.kindOf(1)).toBe("crop+dark");
    expect(tasks.indexOf(3)).toBeUndefined();
  });

  it.each([
    ["id", { id: "1" }],
    ["answers", { answers: [] }],
    ["answers.0", { answers: [1] }],
    ["type", { type: "dark" }],
    ["split", { split: "medium" }],
    ["ori_image_path", { ori_image_path: "../secret.png" }],
    ["processed_image_path", { processed_image_path: "/etc/secret.png" }],
    ["processed_image_path", { processed_image_path: undefined }],
    ["id", {}],
  ])("is refused at record 1, field %s: %j", async (field, change) => {
    await expect(tasksOf(good, { ...good, ...change })).rejects.toMatchObject({
      code: "data.bad_record",
      message: expect.stringMatching(/MAT-Coding\.json: record 1:/) as string,
      details: { index: 1, field },
    });
  });

  it("with a missing image or one that is none loads the other tasks, and names record and image", async () => {
    const change = { processed_image_path: "gone.png" };
    const tasks = await tasksOf(
      good,
      { ...good, ...change, id: 2 },
      { ...good, id: 3, processed_image_path: "text.png" },
    );
    expect((await tasks.load(0)).task.id).toBe("mat-coding/1");
    await expect(tasks.load(1)).rejects.toMatchObject({
      code: "data.missing_file",
      message: expect.stringMatching(/record 1: .*gone\.png/) as string,
    });
    await expect(tasks.load(2)).rejects.toMatchObject({
      code: "data.not_an_image",
      message: expect.stringContaining("text.png") as string,
    });
  });
});
