/**
 * A strict reader of markup, independent of what writes it: an unquoted attribute, a stray `<`, or a tag that is not closed throws.
 */

const VOID = new Set(["meta", "img", "br", "hr", "link", "input"]);

export interface Tag {
  name: string;
  attributes: ReadonlyMap<string, string>;
}

/** Opening tags in order. The content of `style` is skipped, as browsers do. */
export function readTags(html: string): Tag[] {
  const tags: Tag[] = [];
  const open: string[] = [];
  let rest = html.replace(/^<!doctype html>/, "");
  for (;;) {
    const at = rest.indexOf("<");
    if (rest.slice(0, at < 0 ? undefined : at).includes(">")) throw new Error(`stray ">" in ${near(rest)}`);
    if (at < 0) break;
    rest = rest.slice(at);
    const closing = /^<\/([a-z][a-z0-9]*)>/.exec(rest);
    const opening = /^<([a-z][a-z0-9]*)((?:\s+[a-z][a-zA-Z0-9-]*="[^"<>]*")*)\s*(\/?)>/.exec(rest);
    if (closing !== null) {
      const last = open.pop();
      if (last !== closing[1]) throw new Error(`</${closing[1]}> closes <${last}> in ${near(rest)}`);
    } else if (opening === null) {
      throw new Error(`no tag: ${near(rest)}`);
    } else {
      const [, name = "", attributes = "", slash] = opening;
      const pairs = [...attributes.matchAll(/([a-z][a-zA-Z0-9-]*)="([^"]*)"/g)].map(
        ([, key = "", value = ""]) => [key, value] as const,
      );
      tags.push({ name, attributes: new Map(pairs) });
      if (slash !== "/" && !VOID.has(name)) open.push(name);
    }
    rest = rest.slice((closing ?? opening)![0].length);
    if (open.at(-1) === "style") rest = rest.slice(rest.indexOf("</style>"));
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(", ")}`);
  return tags;
}

const near = (text: string): string => JSON.stringify(text.slice(0, 80));
