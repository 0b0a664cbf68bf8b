import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sourceOf, withLocalPaths } from "./source.ts";

describe("sourceOf", () => {
  it.each([
    ["bare", "x = 1\ny = 2", "x = 1\ny = 2"],
    ["in a fence of Python", "```python\nx = 1\n```", "x = 1"],
    ["in a fence without a word", "```\nx = 1\ny = 2\n```\n", "x = 1\ny = 2"],
    ["in a fence of another word", "```text\nx = 1\n```", "x = 1"],
    ["in capitals, after space", "  \n``` Python \r\nx = 1\n```", "x = 1"],
    ["in py", "```py\nx = 1\n```", "x = 1"],
    ["after prose", "Here it is:\n```python\nx = 1\n```\nThat turns it.", "x = 1"],
    ["in the first of two fences of Python", "```python\nx = 1\n```\n```python\ny = 2\n```", "x = 1"],
    ["in the second fence, the first is no Python", "```bash\npip install x\n```\n```python\ny = 2\n```", "y = 2"],
    ["in a fence that nothing closes", "```python\nx = 1\ny = 2", "x = 1\ny = 2"],
    ["bare, with a fence in a docstring", '"""\n```\nhow\n```\n"""\nx = 1', '"""\n```\nhow\n```\n"""\nx = 1'],
    ["after a byte order mark", "\ufeffx = 1", "x = 1"],
    ["nothing", "", ""],
    ["an empty fence", "```python\n```", ""],
  ])("%s", (_, text, source) => {
    expect(sourceOf(text)).toBe(source);
  });

  it("gives back any source that holds no fence, bare or fenced", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("```")),
        (source) => {
          expect(sourceOf(source)).toBe(source);
          expect(sourceOf(`\`\`\`python\n${source}\n\`\`\``)).toBe(source);
        },
      ),
    );
  });
});

describe("withLocalPaths", () => {
  it.each([
    ["cv2.imread('/path_to_input_image.jpg')", "cv2.imread('path_to_input_image.jpg')"],
    ['cv2.imwrite("/path_to_output_image.jpg", x)', 'cv2.imwrite("path_to_output_image.jpg", x)'],
    ["p = r'/path_to_input_image.jpg'", "p = r'path_to_input_image.jpg'"],
  ])("%s loses its slash", (source, expected) => {
    expect(withLocalPaths(source)).toBe(expected);
  });

  it.each([
    "'path_to_input_image.jpg'",
    "'./path_to_input_image.jpg'",
    "'/data/path_to_input_image.jpg'",
    "'/path_to_input_image.png'",
    "'/path_to_input_image.jpg\"",
  ])("%s stays as it is written", (source) => {
    expect(withLocalPaths(source)).toBe(source);
  });
});
