import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lineChart, stackedBars } from "./charts.ts";
import { fittedEnds, scalesOf, ticks } from "./scales.ts";

const FRAME = { width: 120, height: 70, left: 10, right: 10, top: 10, bottom: 10 };

describe("scales", () => {
  it("put the ends of both axes on the ends of the frame, up being more", () => {
    const { x, y } = scalesOf(FRAME, [0, 4], [0, 1]);
    expect([x(0), x(1), x(4)]).toEqual([10, 35, 110]);
    expect([y(0), y(0.5), y(1)]).toEqual([60, 35, 10]);
  });

  it("stay finite for one step and one value", () => {
    const { x, y } = scalesOf(FRAME, [3, 3], [2, 2]);
    expect([x(3), y(2)]).toEqual([10, 60]);
  });

  it.each([
    [[0, 36], 5, [0, 10, 20, 30]],
    [[0, 1], 4, [0, 0.5, 1]],
    [[-1, 1], 4, [-1, -0.5, 0, 0.5, 1]],
  ] as const)("ticks of %j, about %d", (ends, wanted, expected) => {
    expect(ticks(ends, wanted)).toEqual(expected);
  });

  it("fitted ends hold every value and 0, without much room to spare", () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true }).filter((one) => one === 0 || Math.abs(one) > 1e-9);
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), (values) => {
        const [low, high] = fittedEnds(values);
        const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
        expect(low).toBeLessThanOrEqual(least + 1e-6 * (most - least));
        expect(high).toBeGreaterThanOrEqual(most - 1e-6 * (most - least));
        expect(high - low).toBeLessThanOrEqual(most > least ? 3 * (most - least) : 1);
        expect(high).toBeGreaterThan(low);
      }),
    );
    expect(fittedEnds([1.4, 0.3])).toEqual([0, 1.5]);
  });
});

describe("charts", () => {
  const options = { title: "T", note: "n", values: [0, 1] as const };

  it("a line goes through its points and breaks where a value is missing", () => {
    const values = [0, 1, null, 0.5, 0.5];
    const chart = lineChart([{ name: "a", points: values.map((value, step) => ({ step, value })) }], options).text;
    // Frame 420 x 220, margins 48 12 10 36: 90 across a step, 174 up.
    expect(chart).toContain('d="M48 184L138 10M318 97L408 97"');
    expect(chart.match(/<title>/g)).toHaveLength(4);
    expect(chart).toContain("<title>a, step 1: 1</title>");
  });

  it("bars stand on each other", () => {
    const chart = stackedBars([{ step: 1, parts: { a: 0.25, b: 0.75 } }], options).text;
    const bars = [...chart.matchAll(/class="bar (s\d)" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g)];
    expect(bars.map(([, ...figures]) => figures)).toEqual([
      ["s1", "140.5", "43.5"],
      ["s2", "10", "130.5"],
    ]);
  });
});
