/**
 * The candidate repairs of damaged digits, run as a model's code in the real sandbox: a right one brings the image back towards its
 * clean original, a wrong one less or not at all.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pixelsOf, type CanonicalImage, type Pixels } from "../../src/core/images.ts";
import { openSandbox } from "../../src/sandbox/index.ts";
import type { Sandbox } from "../../src/sandbox/types.ts";
import { damagedDigits, SINGLE_KINDS } from "../../src/tasks/damaged-digits/index.ts";
import { REPAIRS, repairCode, rightRepairs, type Repair } from "../../src/tasks/damaged-digits/repairs.ts";
import { type Damage, type DamageProblem } from "../../src/tasks/degradations/index.ts";
import { has } from "../support/requires.ts";

const TASKS = 3;
const DAMAGED_KINDS = SINGLE_KINDS.filter((kind) => kind !== "none");
const COMPOUNDS = ["rotation90+dark", "blur+noise", "overexposure+crop"];

/** A problem whose repair does not fit: it moves what stands right, or leaves what is wrong. */
const UNFIT: Readonly<Record<string, DamageProblem>> = {
  rotation90: "dark",
  rotation180: "blur",
  dark: "rotation180",
  overexposure: "rotation180",
  blur: "rotation180",
  noise: "blur",
  crop: "rotation180",
};

describe.skipIf(!has("sandbox"))("repairs in the sandbox", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await openSandbox();
  });
  afterAll(() => sandbox.close());

  async function repaired(image: CanonicalImage, repairs: readonly Repair[]): Promise<Pixels> {
    const outcome = await sandbox.run({ source: repairCode(repairs), image: image.png, limits: { timeoutMs: 20_000 } });
    if (outcome.output.kind !== "image") throw new Error(`${outcome.status}: ${outcome.stderr}`);
    return outcome.output;
  }

  it.each(DAMAGED_KINDS)("%s: every right candidate helps, more than any wrong one", async (kind) => {
    for (const { damaged, clean, damage } of await examples(kind)) {
      const before = similarity(await pixelsOf(damaged), clean);
      const scores = await Promise.all(
        REPAIRS[kind as DamageProblem].map(async (repair) => ({
          right: damage.flatMap(rightRepairs).includes(repair.label),
          score: similarity(await repaired(damaged, [repair]), clean),
        })),
      );
      const rightScores = scores.filter(({ right }) => right).map(({ score }) => score);
      const wrongScores = scores.filter(({ right }) => !right).map(({ score }) => score);
      expect(rightScores.length).toBeGreaterThan(0);
      expect(Math.min(...rightScores)).toBeGreaterThan(before + 0.05);
      expect(Math.min(...rightScores)).toBeGreaterThan(Math.max(-1, ...wrongScores));
    }
  });

  it.each(DAMAGED_KINDS)(
    "%s: another problem's repair gains less than a quarter of the right one's gain",
    async (kind) => {
      for (const { damaged, clean, damage } of await examples(kind)) {
        const before = similarity(await pixelsOf(damaged), clean);
        const right = damage.map(rightRepairOf);
        const gain = similarity(await repaired(damaged, right), clean) - before;
        const [unfit] = REPAIRS[UNFIT[kind]!];
        expect(similarity(await repaired(damaged, [unfit]), clean) - before).toBeLessThan(gain / 4);
      }
    },
  );

  it.each(COMPOUNDS)("%s: both repairs help more than either alone", async (kind) => {
    for (const { damaged, clean, damage } of await examples(kind)) {
      const right = damage.map(rightRepairOf);
      const both = similarity(await repaired(damaged, right), clean);
      for (const one of right) expect(both).toBeGreaterThan(similarity(await repaired(damaged, [one]), clean));
      expect(both).toBeGreaterThan(similarity(await pixelsOf(damaged), clean) + 0.05);
    }
  });
});

function rightRepairOf(damage: Damage): Repair {
  const found = REPAIRS[damage.problem].find(({ label }) => rightRepairs(damage).includes(label));
  if (found === undefined) throw new Error(`no right repair of ${damage.problem}`);
  return found;
}

async function examples(kind: string): Promise<{ damaged: CanonicalImage; clean: Pixels; damage: Damage[] }[]> {
  const set = damagedDigits({ seed: 11, split: "validation", size: TASKS, kinds: [kind] });
  return Promise.all(
    Array.from({ length: TASKS }, async (_, index) => {
      const { images, damage } = await set.load(index);
      const [damaged, clean] = images;
      if (damaged === undefined || clean === undefined) throw new Error("no clean original");
      return { damaged, clean: await pixelsOf(clean), damage };
    }),
  );
}

/** Mean SSIM over 8 x 8 windows at every fourth pixel, on the mean of the channels (Wang et al. 2004, with uniform windows). */
function similarity(a: Pixels, b: Pixels): number {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  const grey = ({ rgb }: Pixels, at: number): number => (rgb[3 * at]! + rgb[3 * at + 1]! + rgb[3 * at + 2]!) / 3;
  const scores: number[] = [];
  for (let top = 0; top + 8 <= a.height; top += 4) {
    for (let left = 0; left + 8 <= a.width; left += 4) {
      const sums = { x: 0, y: 0, xx: 0, yy: 0, xy: 0 };
      for (let index = 0; index < 64; index++) {
        const at = (top + (index >> 3)) * a.width + left + (index & 7);
        const [x, y] = [grey(a, at), grey(b, at)];
        sums.x += x / 64;
        sums.y += y / 64;
        sums.xx += (x * x) / 64;
        sums.yy += (y * y) / 64;
        sums.xy += (x * y) / 64;
      }
      const { x, y, xx, yy, xy } = sums;
      const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
      const structure = (2 * (xy - x * y) + c2) / (xx - x * x + yy - y * y + c2);
      scores.push(((2 * x * y + c1) / (x * x + y * y + c1)) * structure);
    }
  }
  return scores.reduce((total, score) => total + score, 0) / scores.length;
}
