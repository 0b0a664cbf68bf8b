import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { noiseKey, SeededStream } from "./seeds.ts";

const site = { runSeed: 7, step: 1, taskId: "a", rollout: 0, turn: 0 };

describe("noiseKey", () => {
  it("is the first eight bytes of the documented hash", () => {
    const text = "varft.noise.1\n1:7\n1:1\n1:a\n1:0\n1:0";
    expect(noiseKey(site)).toBe(createHash("sha256").update(text).digest("hex").slice(0, 16));
  });

  it("differs at every part of the site", () => {
    const others = [{ runSeed: 8 }, { step: 2 }, { taskId: "b" }, { rollout: 1 }, { turn: 1 }];
    const keys = new Set([noiseKey(site), ...others.map((change) => noiseKey({ ...site, ...change }))]);
    expect(keys.size).toBe(6);
  });
});

describe("SeededStream", () => {
  it("repeats, and is uniform enough", () => {
    const draw = (): number[] => {
      const stream = new SeededStream("test", 1);
      return Array.from({ length: 2000 }, () => stream.integer(0, 9));
    };
    expect(draw()).toEqual(draw());
    const counts = Array.from({ length: 10 }, (_, digit) => draw().filter((value) => value === digit).length);
    // Chi-square with 9 degrees of freedom: 27.9 is the 0.1% point. The draws are fixed, so this cannot flicker.
    expect(counts.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0)).toBeLessThan(27.9);
  });
});
