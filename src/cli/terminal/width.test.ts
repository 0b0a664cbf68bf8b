import fc from "fast-check";
import { util } from "prettier";
import { expect, it } from "vitest";
import { displayWidth, fit, pad } from "./width.ts";

it("counts columns", () => {
  expect(displayWidth("abc")).toBe(3);
  expect(displayWidth("发票 12")).toBe(7);
  expect(displayWidth("한글ｆ")).toBe(6);
  expect(displayWidth("e\u0301")).toBe(1);
  expect(displayWidth("\u001b[2mdim\u001b[22m")).toBe(3);
});

it("never counts fewer columns than an independent table, and agrees on every letter", () => {
  const fewer: string[] = [];
  const more: string[] = [];
  for (let code = 0x20; code < 0x20000; code++) {
    const point = String.fromCodePoint(code);
    if (/[\p{Cc}\p{Cs}\p{Cn}]/u.test(point)) continue;
    const ours = displayWidth(point);
    const theirs = util.getStringWidth(point);
    if (ours < theirs && !/[\p{Mn}\p{Me}]/u.test(point)) fewer.push(code.toString(16));
    if (ours > theirs && /\p{L}/u.test(point)) more.push(code.toString(16));
  }
  expect(fewer).toEqual([]);
  expect(more).toEqual([]);
});

it("cuts by columns and closes styles", () => {
  expect(fit("发票发票", 5)).toBe("发票…");
  expect(fit("发票发票", 4)).toBe("发…");
  expect(fit("发票", 4)).toBe("发票");
  expect(fit("\u001b[2mabcdef\u001b[22m", 4)).toBe("\u001b[2mabc…\u001b[22m");
  expect(fit("abc", 0)).toBe("");
});

it("does not let marks pile up on a character", () => {
  expect(fit(`a${"\u0301".repeat(1000)}b`, 10)).toBe("a\u0301\u0301b");
});

it("fits any text into any width", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.integer({ min: 0, max: 40 }), (text, width) => {
      const line = text.replace(/[\p{Cc}\p{Cf}]/gu, "");
      expect(displayWidth(fit(line, width))).toBeLessThanOrEqual(width);
      expect(displayWidth(pad(line, width))).toBe(width);
    }),
  );
});
