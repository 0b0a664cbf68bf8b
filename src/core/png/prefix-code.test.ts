import fc from "fast-check";
import { expect, it } from "vitest";
import { codeLengths, prefixCodes } from "./prefix-code.ts";

const kraft = (lengths: Uint8Array): number =>
  lengths.reduce((sum, length) => sum + (length > 0 ? 2 ** -length : 0), 0);

it("gives the textbook's lengths, ties to the lower symbol", () => {
  // Huffman's tree of 45, 13, 12, 16, 9, 5 (Cormen, Leiserson, Rivest, Stein: Introduction to Algorithms, 16.3).
  expect([...codeLengths(Uint32Array.of(45, 13, 12, 0, 16, 9, 5), 15)]).toEqual([1, 3, 3, 0, 3, 4, 4]);
});

it("gives the codes of the standard's example, their bits turned round", () => {
  // RFC 1951, 3.2.2: lengths 3, 3, 3, 3, 3, 2, 4, 4 make 010, 011, 100, 101, 110, 00, 1110, 1111.
  const codes = prefixCodes(Uint8Array.of(3, 3, 3, 3, 3, 2, 4, 4));
  const written = Array.from(codes, (code) => {
    const bits = (code >> 4).toString(2).padStart(code & 15, "0");
    return bits.split("").toReversed().join("");
  });
  expect(written).toEqual(["010", "011", "100", "101", "110", "00", "1110", "1111"]);
});

it("is a full code within the bound, shorter for what is commoner, whatever the counts", () => {
  const count = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2 ** 20 }));
  fc.assert(
    fc.property(fc.array(count, { minLength: 2, maxLength: 286 }), fc.constantFrom(9, 12, 15), (counts, longest) => {
      fc.pre(counts.filter((one) => one > 0).length >= 2);
      const lengths = codeLengths(Uint32Array.from(counts), longest);
      expect(kraft(lengths)).toBe(1);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(longest);
      const used = [...counts.keys()].filter((symbol) => counts[symbol]! > 0);
      used.sort((one, other) => counts[other]! - counts[one]! || lengths[one]! - lengths[other]!);
      expect(used.map((symbol) => lengths[symbol]!)).toEqual(
        used.map((symbol) => lengths[symbol]!).toSorted((a, b) => a - b),
      );
    }),
  );
});

it("bounds the deepest tree there is: Fibonacci's counts", () => {
  const counts = Uint32Array.from({ length: 30 }, () => 1);
  for (let at = 2; at < counts.length; at++) counts[at] = counts[at - 1]! + counts[at - 2]!;
  expect(Math.max(...codeLengths(counts, 29))).toBe(29);
  for (const longest of [5, 7, 12]) {
    const lengths = codeLengths(counts, longest);
    expect([Math.max(...lengths), kraft(lengths)]).toEqual([longest, 1]);
  }
});
