import { expect, it } from "vitest";
import { oneLine, printable } from "./printable.ts";

it("takes away what a terminal would obey", () => {
  expect(printable("a\u001b]0;title\u0007b\u009b2Jc\rd\u202ee")).toBe("a�]0;title�b�2Jc�d�e");
  expect(printable("keeps\n\tlines and 发票 and 𝒳")).toBe("keeps\n\tlines and 发票 and 𝒳");
});

it("cuts a line by code points", () => {
  expect(oneLine("𝒳".repeat(10), 4)).toBe("𝒳𝒳𝒳…");
  expect(oneLine(" a\n\n b ", 10)).toBe("a b");
});
