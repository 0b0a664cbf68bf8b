import { describe, expect, it } from "vitest";
import { boxOf, rewriteBoxes } from "./boxes.ts";

// MAT-Coding item 119: box [366, 723, 506, 851] on a 500 x 332 image. By hand: 366*500/1000 = 183, 723*332/1000 = 240.036,
// 506*500/1000 = 253, 851*332/1000 = 282.532.
const question = "Recognize the text within the [366, 723, 506, 851] of the image.";
const size = { width: 500, height: 332 };

describe("rewriteBoxes", () => {
  it("puts the question's box, in pixels, into every 2-D slice", () => {
    expect(rewriteBoxes("a = image[y_min:y_max, x_min:x_max]\nb = a[0:10,5:7]", question, size)).toBe(
      "a = image[240:282, 183:253]\nb = a[240:282, 183:253]",
    );
  });

  it.each(["image[1:2]", "image[1:2, 3:4, :]", "image[0, 1]", "{'a': [1, 2]}"])("leaves %s alone", (source) => {
    expect(rewriteBoxes(source, question, size)).toBe(source);
  });

  it("leaves code alone when the question has no box", () => {
    expect(boxOf("What is written here?")).toBeNull();
    expect(rewriteBoxes("image[1:2, 3:4]", "What is written here?", size)).toBe("image[1:2, 3:4]");
  });

  it("reads hostile source in linear time", () => {
    for (const source of ["[:".repeat(500_000), "[a:b,".repeat(200_000)]) {
      expect(rewriteBoxes(source, question, size)).toBe(source);
    }
  });
});
