import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFormula, mathsEqual } from "./equal.ts";
import { canonicalDecimal, sharedNumber } from "./numbers.ts";

describe("mathsEqual", () => {
  it.each([
    ["1/2", "0.5"],
    ["\\frac{1}{2}", "0.5"],
    ["$\\dfrac{3}{4}$", "0.75"],
    ["\\frac{\\sqrt{4}}{2^{3}}", "1/4"],
    ["50%", "0.5"],
    ["50\\%", "1/2"],
    ["1,200,000", "1200000"],
    ["1,200.50 / 2", "600.25"],
    ["x = 5", "5"],
    ["2(x+1)", "2x+2"],
    ["x(x - 1)", "x^2 - x"],
    ["(a+b)^2", "a^2 + 2a b + b^2"],
    ["\\sqrt[3]{27}", "3"],
    ["2\\pi", "2*pi"],
    ["3 × 4", "12"],
    ["sin(x)^2 + cos(x)^2 + 0", "1"],
    ["\\boxed{7}", "7.0"],
    ["-0", "0"],
    ["007", "7"],
    ["2^-1", "0.5"],
    // Neither has a value where the argument is negative.
    ["sqrt(x - 1)", "(x - 1)^0.5"],
  ])("%s equals %s", async (a, b) => {
    expect(await mathsEqual(a, b)).toBe(true);
    expect(await mathsEqual(b, a)).toBe(true);
  });

  it.each([
    ["1/3", "0.333333"],
    ["12345678901234567890", "12345678901234567891"],
    ["2x", "x^2"],
    ["5", "-5"],
    // One has a value where the other has none.
    ["sqrt(x - 1)^2 + 0", "x - 1 + 0"],
    ["0.5", "50"],
    ["x + 1", "y + 1"],
    // Words, dates, units, ranges of mathjs's language, and what it would run.
    ["Paris", "Paris"],
    ["1998-07-12", "1979"],
    ["5 cm", "5 cm"],
    ["5 m", "5"],
    ["1/0", "2/0"],
    ["import(1)", "1"],
    ["a = 3; a", "3"],
    ["[1, 2]", "[1, 2]"],
    ['"5"', "5"],
    ["3!", "6"],
    ["10 % 3", "1"],
    ["f(x) = 5", "5"],
    ["constructor(1)", "1"],
    ["__proto__ 1", "1"],
    ["1 == 1", "1"],
    ["", ""],
    ["1 +", "1"],
    ["1,2", "12"],
  ])("%s does not equal %s", async (a, b) => {
    expect(await mathsEqual(a, b)).toBe(false);
  });

  it("hostile formulas end at once, without a match", async () => {
    const hostile = [
      "9^9^9^9^9^9^9",
      `${"(".repeat(90)}1${")".repeat(90)}`,
      `1${"+1".repeat(5000)}`,
      `${"-".repeat(190)}1`,
      `${"2^".repeat(90)}2`,
      `${"\\frac{".repeat(20)}1`,
      `\\sqrt{${"{".repeat(100)}`,
      "1".repeat(1_000_000),
      "1e999999999",
      "x".repeat(199) + "1",
      `sqrt(${"sqrt(".repeat(30)}2${")".repeat(31)}`,
    ];
    for (const text of hostile) {
      expect(await mathsEqual(text, "7")).toBe(false);
      expect(await mathsEqual("1/7", text)).toBe(false);
    }
  });

  it("never throws, and equals are equal both ways", async () => {
    const piece = fc.constantFrom(
      "1",
      "2",
      "x",
      "+",
      "-",
      "*",
      "/",
      "^",
      "(",
      ")",
      "\\frac{",
      "}",
      "{",
      " ",
      ",",
      ".",
      "sqrt",
      "=",
      "%",
      "$",
    );
    const text = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(""));
    await fc.assert(
      fc.asyncProperty(text, text, async (a, b) => {
        expect(await mathsEqual(a, b)).toBe(await mathsEqual(b, a));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("fractions and sums of integers, against exact arithmetic", async () => {
    const small = fc.integer({ min: -50, max: 50 });
    await fc.assert(
      fc.asyncProperty(
        small,
        fc.integer({ min: 1, max: 50 }),
        small,
        fc.integer({ min: 1, max: 50 }),
        async (a, b, c, d) => {
          expect(await mathsEqual(`${a}/${b}`, `\\frac{${c}}{${d}}`)).toBe(a * d === c * b);
          expect(await mathsEqual(`(${a}) + (${c}) + 0`, String(a + c))).toBe(true);
        },
      ),
      { seed: 2, numRuns: 200 },
    );
  });
});

it("numbers as written", () => {
  expect("1,200.50 -0 +7 .5 1,20 1. 0012.300".split(" ").map(canonicalDecimal)).toEqual([
    "1200.5",
    "0",
    "7",
    null,
    null,
    "1",
    "12.3",
  ]);
  expect(sharedNumber("In 1,998 there were 3 cars", "1998")).toBe(true);
  expect(sharedNumber("In 1997", "1998")).toBe(false);
  expect(sharedNumber("no number", "none")).toBe(false);
});

it("what can be compared at all", async () => {
  expect(await Promise.all(["42", "1/2", "x+1", "Paris", "12 June", "A", ""].map(isFormula))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
