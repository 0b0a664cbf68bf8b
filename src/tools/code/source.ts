/**
 * What a policy gave as code -> the Python that runs. Bare source stays as it is.
 */

/** Words after a fence that mean Python; none does too. */
const PYTHON = new Set(["", "python", "python3", "py"]);

/**
 * The inside of a ``` fence: the first of Python, else the first. Source that opens with no fence and holds none marked as Python is
 * bare: a docstring may hold fences. A fence that nothing closes ends with the text.
 *
 * @example sourceOf("```python\nx = 1\n```") === "x = 1"
 */
export function sourceOf(written: string): string {
  const text = written.replace(/^\ufeff/, ""); // a byte order mark, which Python takes in files only
  const blocks: { word: string; lines: string[] }[] = [];
  let inside = false;
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (!trimmed.startsWith("```")) {
      if (inside) blocks.at(-1)?.lines.push(line);
      continue;
    }
    if (!inside) blocks.push({ word: trimmed.slice(3).trim().toLowerCase(), lines: [] });
    inside = !inside;
  }
  const opensFenced = text.trimStart().startsWith("```");
  const python = blocks.find(({ word }) => (opensFenced ? PYTHON.has(word) : word !== "" && PYTHON.has(word)));
  const chosen = python ?? (opensFenced ? blocks[0] : undefined);
  return chosen === undefined ? text : chosen.lines.join("\n");
}

/**
 * The protocol's two paths, where a model wrote a slash before them: `'/path_to_input_image.jpg'`. Seen in training logs, and it
 * works in the reference, which puts an absolute path in the name's place. Any other spelling stays, and fails with an observation.
 */
export function withLocalPaths(source: string): string {
  return source.replace(/(['"])\/(path_to_(?:input|output)_image\.jpg)\1/g, "$1$2$1");
}
