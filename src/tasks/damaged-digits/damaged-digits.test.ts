import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pixelsOf } from "../../core/images.ts";
import { applyDamage } from "../degradations/index.ts";
import { SIDE } from "./draw.ts";
import { damagedDigits, SINGLE_KINDS, type DamagedDigitsTask } from "./index.ts";
import { NUMBERS, SPLITS, splitOf, type Split } from "./splits.ts";

const KINDS = [...SINGLE_KINDS, "rotation90+dark", "blur+noise", "overexposure+crop"];
const make = (seed: number, split: Split) => damagedDigits({ seed, split, size: 10_000, kinds: KINDS });
const anyTask = fc.tuple(fc.nat(1000), fc.constantFrom(...SPLITS), fc.nat(9_999));

describe("a damaged-digits task", () => {
  it("is a function of seed, split and index", async () => {
    await fc.assert(
      fc.asyncProperty(anyTask, async ([seed, split, index]) => {
        expect(await make(seed, split).load(index)).toEqual(await make(seed, split).load(index));
      }),
      { numRuns: 30 },
    );
    const digests = await Promise.all(
      [make(1, "train"), make(2, "train"), make(1, "test")].map(async (set) => (await set.load(0)).images[0]?.sha256),
    );
    expect(new Set(digests).size).toBe(3);
  });

  it("asks for three digits of its split, shows 64 x 64 pixels, and keeps the clean original", async () => {
    await fc.assert(
      fc.asyncProperty(anyTask, async ([seed, split, index]) => {
        const set = make(seed, split);
        const { task, images, damage } = await set.load(index);
        const [answer = ""] = task.private.answers;
        expect(answer).toMatch(/^\d{3}$/);
        expect(splitOf(answer)).toBe(split);
        expect(task.private.kind).toBe(set.kindOf(index));
        expect(task.public.images).toEqual([images[0]?.sha256]);
        const clean = images.at(-1);
        expect(clean?.sha256).toBe(task.private.cleanImage);
        for (const { png, sha256 } of images) expect(createHash("sha256").update(png).digest("hex")).toBe(sha256);
        expect(task.private.kind === "none").toBe(images[0]?.sha256 === task.private.cleanImage);
        expect(images).toHaveLength(task.private.kind === "none" ? 1 : 2);
        if (images[0] === undefined || clean === undefined) throw new Error("no image");
        const shown = await pixelsOf(images[0]);
        expect([shown.width, shown.height]).toEqual([SIDE, SIDE]);
        // The recorded damage, done to the kept original, gives what is shown.
        expect(Buffer.from(applyDamage(await pixelsOf(clean), damage).rgb)).toEqual(Buffer.from(shown.rgb));
      }),
      { numRuns: 60 },
    );
  });

  it("stays the task that shipped checkpoints have learned: pixels of the first task of every kind", async () => {
    const set = make(1, "train");
    const hash = createHash("sha256");
    for (let index = 0; index < KINDS.length; index++) {
      const { images } = await set.load(index);
      for (const image of images) hash.update((await pixelsOf(image)).rgb);
    }
    expect(hash.digest("hex")).toBe("3508e0028472894b313261f7a101d3eaa279512b43aeda5dd2586848d11e7e79");
  });

  it("leaves a clean edge of two pixels: nothing is cut off", async () => {
    const set = damagedDigits({ seed: 3, split: "train", size: 200, kinds: ["none"] });
    const tasks = await Promise.all(Array.from({ length: 200 }, (_, index) => set.load(index)));
    const edges = await Promise.all(tasks.map(edgeColours));
    expect(edges.filter((colours) => colours > 1)).toEqual([]);
  });

  it("keeps answers out of its public part", async () => {
    const { task } = await make(1, "test").load(4);
    expect(JSON.stringify([task.id, task.public.question])).not.toContain(task.private.answers[0]);
    expect(Object.keys(task.public).sort()).toEqual(["images", "question"]);
  });

  it("comes in kinds by turns", () => {
    const set = damagedDigits({ seed: 1, split: "train", size: 16 });
    expect(Array.from({ length: 9 }, (_, index) => set.kindOf(index))).toEqual([
      "none",
      "rotation90",
      "rotation180",
      "dark",
      "overexposure",
      "blur",
      "noise",
      "crop",
      "none",
    ]);
  });

  it("refuses what cannot be meant", async () => {
    const options = { seed: 1, split: "train", size: 4 } as const;
    expect(() => damagedDigits({ ...options, kinds: ["dust"] })).toThrow("expected a kind of damage");
    expect(() => damagedDigits({ ...options, kinds: [] })).toThrow("at least one kind");
    await expect(damagedDigits(options).load(4)).rejects.toThrow("expected an index in 0..3, got 4");
  });
});

describe("splits", () => {
  it("share no number, hold every number, and are of the documented sizes", () => {
    const all = SPLITS.flatMap((split) => NUMBERS[split]);
    expect(all).toHaveLength(1000);
    expect(new Set(all).size).toBe(1000);
    const sizes = SPLITS.map((split) => NUMBERS[split].length);
    // Binomial(1000, .7) and (1000, .1): three standard deviations are 44 and 29.
    for (const [index, expected] of [700, 100, 100, 100].entries())
      expect(Math.abs((sizes[index] ?? 0) - expected)).toBeLessThan(index === 0 ? 44 : 29);
  });

  it("training shows every digit in every place, often", () => {
    for (const place of [0, 1, 2])
      for (let digit = 0; digit < 10; digit++)
        expect(NUMBERS.train.filter((number) => number[place] === String(digit)).length).toBeGreaterThan(50);
  });
});

/** How many colours the outer two rings of the clean image hold. */
async function edgeColours({ images }: DamagedDigitsTask): Promise<number> {
  const [image] = images;
  if (image === undefined) throw new Error("no image");
  const { width, height, rgb } = await pixelsOf(image);
  const colours = new Set<string>();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (Math.min(x, y, width - 1 - x, height - 1 - y) >= 2) continue;
      colours.add(rgb.subarray((y * width + x) * 3, (y * width + x) * 3 + 3).join(","));
    }
  }
  return colours.size;
}
