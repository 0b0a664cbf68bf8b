import { expect, it } from "vitest";
import { asciiOnly, speaksUtf8 } from "./ascii.ts";

it("asks the locale, the strongest variable first", () => {
  expect(speaksUtf8({ LC_ALL: "C", LANG: "en_US.UTF-8" })).toBe(false);
  expect(speaksUtf8({ LC_ALL: "", LC_CTYPE: "C.utf8", LANG: "C" })).toBe(true);
  expect(speaksUtf8({ LANG: "de_DE.ISO-8859-1" })).toBe(false);
  expect(speaksUtf8({})).toBe(true);
});

it("writes the same width in ASCII", () => {
  expect(asciiOnly("██░ ▁█ 3/4 · ✓ 发票…")).toBe("##- _# 3/4 | + ????~");
});
