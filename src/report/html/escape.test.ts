import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTags } from "../testing/tags.ts";
import { escapeText, markup, trusted, type Content } from "./escape.ts";

/** What a browser makes of the references, by the HTML standard's table. */
function unescaped(text: string): string {
  const characters: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replace(/&([^;&]*);/g, (_, name: string) => characters[name]!);
}

const anyText = fc.string({ unit: "binary", maxLength: 60 });
const markupLike = fc
  .array(fc.constantFrom("<", ">", "&", '"', "'", "&lt;", "</p>", "<script>", "]]>", "<!--", "a", " ", "\n"))
  .map((pieces) => pieces.join(""));

describe("escapeText", () => {
  it("leaves no character that ends text or an attribute, and a browser reads the text back", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, markupLike), (text) => {
        const escaped = escapeText(text);
        expect(escaped).not.toMatch(/[<>"']/);
        expect(escaped.replace(/&(amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
        // Only what may not stand in a page is replaced, one code point by one.
        const kept = [...text].map((character) =>
          /[\p{Cc}\p{Cs}\p{Cf}\ufffe\uffff]/u.test(character) ? null : character,
        );
        const back = [...unescaped(escaped)];
        expect(back).toHaveLength(kept.length);
        expect(back.filter((character, index) => kept[index] !== null && kept[index] !== character)).toEqual([]);
      }),
    );
  });

  it.each([
    ["a\tb\n", "a\tb\n"],
    ["\u0000\u001b[2J\r", "\ufffd\ufffd[2J\ufffd"],
    ["\u202egpj.exe", "\ufffdgpj.exe"],
    ["\ud800x", "\ufffdx"],
    ["數字 👩‍🔬", "數字 👩‍🔬"],
  ])("%j is %j", (text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
  });
});

describe("markup", () => {
  it("escapes text, keeps markup, joins lists, leaves out what is not there", () => {
    const list: Content[] = ["<", markup`<b>${"&"}</b>`, 0, null, undefined, false, [trusted("<i></i>")]];
    expect(markup`<p title="${'"'}">${list}</p>`.text).toBe('<p title="&quot;">&lt;<b>&amp;</b>0<i></i></p>');
  });

  it("has the elements of its template whatever is put in", () => {
    fc.assert(
      fc.property(fc.oneof(anyText, markupLike), (text) => {
        const { text: html } = markup`<p title="${text}">${text}<b>${[text, text]}</b></p>`;
        expect(readTags(html).map(({ name }) => name)).toEqual(["p", "b"]);
      }),
    );
  });
});

describe("readTags", () => {
  it.each(["<p>", "<p></b>", "<p title=x></p>", "a < b", "a > b", "</p>", '<p title="a"b"></p>'])(
    "refuses %s",
    (html) => {
      expect(() => readTags(html)).toThrow(/closes|no tag|stray|not closed/);
    },
  );
});
