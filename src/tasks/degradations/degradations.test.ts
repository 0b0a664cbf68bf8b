import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Pixels } from "../../core/images.ts";
import { SeededStream } from "../../core/seeds.ts";
import {
  applyDamage,
  boxOfCrop,
  cut,
  drawDamage,
  kindOf,
  problemsOf,
  QUADRANTS,
  rotate,
  type Damage,
  type Strengths,
} from "./index.ts";

/** Grey pixels from rows of values. */
function grey(rows: number[][]): Pixels {
  const width = rows[0]?.length ?? 0;
  return { width, height: rows.length, rgb: Uint8Array.from(rows.flat().flatMap((value) => [value, value, value])) };
}

/** First channel, as rows. */
function rowsOf({ width, height, rgb }: Pixels): number[][] {
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => rgb[(y * width + x) * 3] ?? -1),
  );
}

const strengths: Strengths = {
  turn: "clockwise",
  dark: { low: 0.12, high: 0.2 },
  overexposure: { low: 0.12, high: 0.2 },
  blur: { low: 1.9, high: 2.3 },
  noise: { low: 0.14, high: 0.2 },
};

const anyPixels = fc
  .record({ width: fc.integer({ min: 2, max: 9 }), height: fc.integer({ min: 2, max: 9 }) })
  .chain(({ width, height }) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((rgb): Pixels => ({ width, height, rgb })),
  );

describe("rotation", () => {
  const image = { width: 3, height: 2, rgb: Uint8Array.from({ length: 18 }, (_, index) => index) };

  it.each([
    // [0 1 2]    [3 0]
    // [3 4 5] -> [4 1], channels kept together.
    //            [5 2]
    ["clockwise", 2, 3, [3, 0, 4, 1, 5, 2]],
    ["counterclockwise", 2, 3, [2, 5, 1, 4, 0, 3]],
    ["half", 3, 2, [5, 4, 3, 2, 1, 0]],
  ] as const)("%s, pixel by pixel", (turn, width, height, pixels) => {
    const rgb = Uint8Array.from(pixels.flatMap((pixel) => [3 * pixel, 3 * pixel + 1, 3 * pixel + 2]));
    expect(rotate(image, turn)).toEqual({ width, height, rgb });
  });

  it("four quarter turns, and a turn there and back, change nothing", () => {
    fc.assert(
      fc.property(anyPixels, (pixels) => {
        const four = [1, 2, 3, 4].reduce((turned) => rotate(turned, "clockwise"), pixels);
        expect(four).toEqual(pixels);
        expect(rotate(rotate(pixels, "clockwise"), "counterclockwise")).toEqual(pixels);
        expect(rotate(rotate(pixels, "clockwise"), "clockwise")).toEqual(rotate(pixels, "half"));
      }),
    );
  });
});

describe("exposure", () => {
  it("dark scales towards black", () => {
    // 0.15 * 10 = 1.5 -> 2, * 100 = 15, * 255 = 38.25.
    const damaged = applyDamage(grey([[0, 10, 100, 255]]), [{ problem: "dark", factor: 0.15 }]);
    expect(rowsOf(damaged)).toEqual([[0, 2, 15, 38]]);
  });
  it("overexposure scales towards white", () => {
    // 255 - 0.2 * 255 = 204, 255 - 0.2 * 155 = 224, 255 - 0.2 * 1 = 254.8.
    const damaged = applyDamage(grey([[0, 100, 254, 255]]), [{ problem: "overexposure", factor: 0.2 }]);
    expect(rowsOf(damaged)).toEqual([[204, 224, 255, 255]]);
  });
});

describe("blur", () => {
  it("equals OpenCV's, mirrored borders included", () => {
    // cv2.GaussianBlur(float64 image, (9, 9), 1.2, borderType=BORDER_REFLECT_101) of OpenCV 4.14, rounded to two places.
    const image = [
      [0, 40, 90, 200, 255],
      [10, 250, 30, 60, 120],
      [77, 5, 180, 220, 9],
      [254, 128, 64, 32, 16],
    ];
    const expected = [
      [88.83, 94.57, 106.37, 119.7, 126.6],
      [92.84, 97.6, 106.74, 114.89, 118.34],
      [100.63, 102.87, 106.48, 105.44, 102.86],
      [104.82, 105.36, 105.71, 100.39, 95.16],
    ];
    const blurred = rowsOf(applyDamage(grey(image), [{ problem: "blur", sigma: 1.2 }]));
    for (const [y, row] of expected.entries())
      for (const [x, value] of row.entries()) expect(Math.abs((blurred[y]?.[x] ?? -1) - value)).toBeLessThan(0.6);
  });

  it("spreads an impulse as the product of two normalised Gaussians", () => {
    const [sigma, side, centre] = [1.5, 15, 7];
    const rows = Array.from({ length: side }, (_, y) =>
      Array.from({ length: side }, (_, x) => (x === centre && y === centre ? 255 : 0)),
    );
    const blurred = rowsOf(applyDamage(grey(rows), [{ problem: "blur", sigma }]));
    // Straight from the two-dimensional definition.
    const density = (y: number, x: number): number =>
      Math.max(Math.abs(x - centre), Math.abs(y - centre)) > Math.ceil(3 * sigma)
        ? 0
        : Math.exp(-((x - centre) ** 2 + (y - centre) ** 2) / (2 * sigma ** 2));
    const densities = rows.map((row, y) => row.map((_, x) => density(y, x)));
    const total = densities.flat().reduce((sum, value) => sum + value, 0);
    const distances = densities.flatMap((row, y) =>
      row.map((value, x) => Math.abs((blurred[y]?.[x] ?? -1) - (255 * value) / total)),
    );
    expect(Math.max(...distances)).toBeLessThan(0.6);
  });

  it("leaves a flat image as it is, whatever the sigma and size", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 255 }),
        fc.double({ min: 0.3, max: 12, noNaN: true }),
        (width, height, value, sigma) => {
          const flat = grey(Array.from({ length: height }, () => Array.from({ length: width }, () => value)));
          expect(applyDamage(flat, [{ problem: "blur", sigma }])).toEqual(flat);
        },
      ),
    );
  });
});

describe("noise", () => {
  const flat = grey(Array.from({ length: 50 }, () => Array.from({ length: 40 }, () => 128)));

  it("turns exactly the asked share of pixels black or white, about half of them each", () => {
    const values = rowsOf(applyDamage(flat, [{ problem: "noise", share: 0.17, seed: [1, 2, 3] }])).flat();
    expect(values.filter((value) => value !== 128)).toHaveLength(340);
    // Binomial(340, 1/2): four standard deviations are 37.
    expect(Math.abs(values.filter((value) => value === 255).length - 170)).toBeLessThan(37);
    expect(new Set(values)).toEqual(new Set([0, 128, 255]));
    // Spread evenly: top and bottom half differ by less than four standard deviations.
    const top = values.slice(0, 1000).filter((value) => value !== 128).length;
    expect(Math.abs(top - 170)).toBeLessThan(37);
  });

  it("depends on its seed alone", () => {
    const make = (seed: [number, number, number]): Pixels =>
      applyDamage(flat, [{ problem: "noise", share: 0.17, seed }]);
    expect(make([1, 2, 3])).toEqual(make([1, 2, 3]));
    expect(make([1, 2, 3])).not.toEqual(make([2, 2, 3]));
  });

  it("reaches every count between none and all", () => {
    for (const share of [0, 1]) {
      const values = rowsOf(applyDamage(flat, [{ problem: "noise", share, seed: [7, 7, 7] }])).flat();
      expect(values.filter((value) => value !== 128)).toHaveLength(share * 2000);
    }
  });
});

describe("crop", () => {
  const image = grey([
    [9, 9, 9, 9],
    [9, 0, 8, 9],
    [9, 4, 4, 9],
    [9, 9, 9, 9],
  ]);

  it("puts the content at half size into the quadrant, on the border's colour", () => {
    // (9 + 9 + 9 + 0) / 4 = 6.75, (9 + 9 + 8 + 9) / 4 = 8.75, (9 + 4 + 9 + 9) / 4 = 7.75 twice.
    expect(rowsOf(applyDamage(image, [{ problem: "crop", quadrant: "bottom left" }]))).toEqual([
      [9, 9, 9, 9],
      [9, 9, 9, 9],
      [7, 9, 9, 9],
      [8, 8, 9, 9],
    ]);
  });

  it.each(QUADRANTS)("%s: cutting its box gives the half-size content", (quadrant) => {
    const crop = { problem: "crop", quadrant } as const;
    expect(rowsOf(cut(applyDamage(image, [crop]), boxOfCrop(crop)))).toEqual([
      [7, 9],
      [8, 8],
    ]);
  });

  it("a box leaves a photograph alone and is what a right crop cuts", () => {
    const damage = { problem: "crop", box: [366, 723, 506, 851] } as const;
    const photograph = {
      width: 500,
      height: 332,
      rgb: Uint8Array.from({ length: 500 * 332 * 3 }, (_, at) => at % 251),
    };
    expect(applyDamage(photograph, [damage])).toEqual(photograph);
    // As in MAT-Coding item 119: x 183..253, y 240..282.
    const region = cut(photograph, boxOfCrop(damage));
    expect([region.width, region.height]).toEqual([70, 42]);
    expect(region.rgb[0]).toBe(((240 * 500 + 183) * 3) % 251);
    expect(region.rgb.at(-1)).toBe(((281 * 500 + 252) * 3 + 2) % 251);
  });
});

describe("compounds", () => {
  const dark: Damage = { problem: "dark", factor: 0.5 };
  const noise: Damage = { problem: "noise", share: 0.5, seed: [1, 1, 1] };

  it("are composed in one order, however they are listed", () => {
    const image = grey([
      [200, 100],
      [50, 10],
    ]);
    // Noise after dark: its white stays white.
    const damaged = applyDamage(image, [noise, dark]);
    expect(damaged).toEqual(applyDamage(image, [dark, noise]));
    expect(damaged).toEqual(applyDamage(applyDamage(image, [dark]), [noise]));
    expect(damaged).not.toEqual(applyDamage(applyDamage(image, [noise]), [dark]));
  });

  it("draw the same strengths, however they are listed", () => {
    const draw = (problems: ("dark" | "noise")[]): Damage[] => drawDamage(problems, strengths, new SeededStream("x"));
    expect(draw(["noise", "dark"])).toEqual(draw(["dark", "noise"]));
    expect(draw(["noise", "dark"]).map(({ problem }) => problem)).toEqual(["dark", "noise"]);
  });

  it("are named in one order", () => {
    expect(kindOf(["dark", "rotation90"])).toBe("rotation90+dark");
    expect(kindOf([])).toBe("none");
    expect(problemsOf("rotation90+dark")).toEqual(["rotation90", "dark"]);
    expect(problemsOf("none")).toEqual([]);
  });

  it.each([
    "",
    "dust",
    "dark+rotation90",
    "rotation90+rotation180",
    "dark+overexposure",
    "dark+blur+noise",
    "dark+dark",
  ])("the name %o is refused", (name) => {
    expect(() => problemsOf(name)).toThrow("expected a kind of damage");
  });
});

it("no damage changes the pixels it was given", () => {
  fc.assert(
    fc.property(
      anyPixels,
      fc.constantFrom("rotation90", "rotation180", "dark", "overexposure", "blur", "noise", "crop"),
      fc.nat(),
      (pixels, problem, seed) => {
        const before = Uint8Array.from(pixels.rgb);
        const damage = drawDamage([problem], strengths, new SeededStream(seed));
        const damaged = applyDamage(pixels, damage);
        expect(pixels.rgb).toEqual(before);
        expect(damaged.rgb).toHaveLength(damaged.width * damaged.height * 3);
        // Parameters are JSON: a record restores the same pixels.
        expect(applyDamage(pixels, JSON.parse(JSON.stringify(damage)) as Damage[])).toEqual(damaged);
      },
    ),
  );
});
