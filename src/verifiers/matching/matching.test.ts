import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matScore } from "./mat.ts";
import { normaliseAnswer, type MatVariant } from "./normalise.ts";
import { squadF1 } from "./squad.ts";

const VARIANTS = ["coding", "search"] as const;

describe("normaliseAnswer", () => {
  it.each([
    ["The  Cat's  hat, a an THE!", "cats hat"],
    ["A", ""],
    ["Ana and another", "ana and another"],
    ["élan a là", "élan là"],
    ["ça-va_the_end", "çavatheend"],
    ["ò the\tÖ\n an\u00a0x", "ò ö x"],
    ["ＡＢ１", "ａｂ１"],
    ["", ""],
  ])("%j -> %j in both variants", (text, expected) => {
    for (const variant of VARIANTS) expect(normaliseAnswer(text, variant)).toBe(expected);
  });

  it.each([
    ["发票 号码：16734841", "发票号码16734841", "发票 号码：16734841"],
    ["“Yes”，no…", "yesno", "“yes”，no…"],
    // Chinese text keeps its articles and line breaks and loses every space.
    ["The 猫 a\n b", "the猫a\nb", "猫 b"],
    ["「a」", "", "「 」"],
  ])("%j -> coding %j, search %j", (text, coding, search) => {
    expect(normaliseAnswer(text, "coding")).toBe(coding);
    expect(normaliseAnswer(text, "search")).toBe(search);
  });
});

describe("matScore", () => {
  it.each<[string | null, string[], MatVariant, number, number]>([
    // Overlap {new, york} = 2 of 3 and 3 words; the multiset would give 2 * 2 / 6 too, so the next line tells them apart.
    ["New York City", ["new york state"], "search", 0, 4 / 6],
    ["york york york", ["york york"], "search", 0, 2 / 5],
    ["york york york", ["york york york!"], "search", 1, 1],
    ["the red car", ["red cars", "blue car"], "search", 0, 0.5],
    ["red", ["blue", "Red."], "search", 1, 1],
    [null, [""], "search", 0, 0],
    // A gold answer "A" normalises to nothing, and so does this prediction.
    ["the!", ["A"], "coding", 1, 1],
    ["B", ["A"], "coding", 0, 0],
    ["", ["b"], "coding", 0, 0],
    // Characters 号 码 1 2 against 号 码 1: overlap 3 of 4 and 3.
    ["号码 12", ["号码：1"], "coding", 0, 6 / 7],
    // As words they have nothing in common.
    ["号码12", ["号码1"], "search", 0, 0],
    // One side holds Chinese: both are characters, the space of "a b" included. Overlap {b} of 3 and 2.
    ["cc b", ["b猫"], "coding", 0, 2 / 6],
    // 𠮷 is one code point, not two: overlap 2 of 2 and 3.
    ["𠮷野", ["𠮷野家"], "coding", 0, 4 / 5],
    ["anything", [], "coding", 0, 0],
  ])("%j with %j, %s: EM %d, F1 %d", (prediction, golds, variant, em, f1) => {
    const score = matScore(prediction, golds, variant);
    expect(score.em).toBe(em);
    expect(score.f1).toBeCloseTo(f1, 12);
  });
});

describe("squadF1", () => {
  it.each([
    ["york york york", ["york york"], 4 / 5],
    ["new new york", ["new york city"], 4 / 6],
    ["New York", ["old", "the new york!"], 1],
    ["the", ["A"], 1],
    ["the", ["b"], 0],
    ["b", ["the"], 0],
    [null, [""], 0],
  ])("%j with %j: %d", (prediction, golds, expected) => {
    expect(squadF1(prediction, golds)).toBeCloseTo(expected, 12);
  });
});

describe("of any two texts", () => {
  const word = fc.constantFrom("a", "the", "red", "Red", "car", "猫", "狗狗", "𠮷", "12", "，", "!", "\n", " ", "of");
  const text = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
    fc.string({ unit: "binary", maxLength: 30 }),
  );

  it("scores lie in [0, 1], EM = 1 exactly when the normalised texts are equal, and then F1 = 1", () => {
    fc.assert(
      fc.property(text, text, fc.constantFrom(...VARIANTS), (a, b, variant) => {
        const { em, f1 } = matScore(a, [b], variant);
        expect(em).toBe(normaliseAnswer(a, variant) === normaliseAnswer(b, variant) ? 1 : 0);
        for (const score of [f1, squadF1(a, [b])]) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        }
        expect(f1).toBeGreaterThanOrEqual(em);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("prediction and a single gold answer can be exchanged; on words MAT's F1 is at most SQuAD's", () => {
    fc.assert(
      fc.property(text, text, fc.constantFrom(...VARIANTS), (a, b, variant) => {
        const score = matScore(a, [b], variant);
        expect(matScore(b, [a], variant)).toEqual(score);
        expect(squadF1(b, [a])).toBe(squadF1(a, [b]));
        expect(matScore(a, [b], "search").f1).toBeLessThanOrEqual(squadF1(a, [b]));
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it("another gold answer never lowers a score, and an answer matches itself", () => {
    fc.assert(
      fc.property(
        text,
        fc.array(text, { maxLength: 4 }),
        text,
        fc.constantFrom(...VARIANTS),
        (a, golds, b, variant) => {
          const before = matScore(a, golds, variant);
          const after = matScore(a, [...golds, b], variant);
          expect(after.em).toBeGreaterThanOrEqual(before.em);
          expect(after.f1).toBeGreaterThanOrEqual(before.f1);
          expect(matScore(a, [...golds, a], variant)).toEqual({ em: 1, f1: 1 });
        },
      ),
      { seed: 3, numRuns: 500 },
    );
  });

  // Quadratic work on these would outlast the test's limit by far.
  it.each([
    ["spaces", " ".repeat(1_000_000)],
    ["articles", "a the an ".repeat(200_000)],
    ["line breaks in Chinese", `猫${" \n".repeat(500_000)}`],
    ["distinct words", Array.from({ length: 200_000 }, (_, index) => `w${index}`).join(" ")],
    ["letters after a word boundary", "thethe".repeat(200_000)],
  ])("a hostile answer of a million characters: %s", (_, hostile) => {
    for (const variant of VARIANTS) {
      expect(matScore(`${hostile}x`, [`${hostile}y`, "1"], variant).em).toBe(0);
      expect(matScore(hostile, [hostile], variant)).toEqual({ em: 1, f1: 1 });
    }
    expect(squadF1(hostile, [hostile])).toBe(1);
  });
});
