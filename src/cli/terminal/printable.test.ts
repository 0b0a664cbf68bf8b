import { expect, it } from "vitest";
import { oneLine, printable, sourceLines } from "./printable.ts";

it("takes away what a terminal would obey", () => {
  expect(printable("a\u001b]0;title\u0007b\u009b2Jc\rd\u202ee")).toBe("a�]0;title�b�2Jc�d�e");
  expect(printable("keeps\n\tlines and 发票 and 𝒳")).toBe("keeps\n\tlines and 发票 and 𝒳");
});

it("cuts a line by columns", () => {
  expect(oneLine("𝒳".repeat(10), 4)).toBe("𝒳𝒳𝒳…");
  expect(oneLine("发票发票", 5)).toBe("发票…");
  expect(oneLine(" a\n\n b ", 10)).toBe("a b");
});

it("keeps the indentation of code and says what it leaves out", () => {
  expect(sourceLines("if a:\r\n\tb()\n\n", 8)).toEqual(["if a:", "    b()"]);
  expect(sourceLines("1\n2\n3\n4", 3)).toEqual(["1", "2", "… 2 more lines"]);
  expect(sourceLines("a\u001b[2J", 3)).toEqual(["a�[2J"]);
});
