/**
 * Reads string constants out of Python source without running it: plain and f-strings, joined by `+`. Enough for prompts that stand as
 * literals in a script; whatever else stands there is left to the caller's names.
 */

/** A piece of a concatenation: text with its escapes undone (fields of an f-string stay as `{name}`), or a variable's name. */
export type Piece = { text: string } | { name: string };

const STRING = /([fFrRbBuU]{0,2})("""|'''|"|')/y;
const NAME = /[A-Za-z_]\w*/y;

/**
 * The pieces of the expression at `start`, up to the end of its line; null where it is no concatenation of strings and names.
 *
 * @example concatenation(`head + '\\n' + f'<q> {query} </q>'`, 0) // [{name: "head"}, {text: "\n"}, {text: "<q> {query} </q>"}]
 */
export function concatenation(source: string, start: number): Piece[] | null {
  const pieces: Piece[] = [];
  let at = start;
  for (;;) {
    at = skipSpaces(source, at);
    const string = stringAt(source, at);
    if (string !== null) {
      pieces.push({ text: string.text });
      at = string.end;
    } else {
      NAME.lastIndex = at;
      const name = NAME.exec(source)?.[0];
      if (name === undefined) return null;
      pieces.push({ name });
      at += name.length;
    }
    at = skipSpaces(source, at);
    if (at >= source.length || source[at] === "\n" || source[at] === "\r" || source[at] === "#") return pieces;
    if (source[at] !== "+") return null;
    at++;
  }
}

/** Every `name = <concatenation>` of a source, in order, whatever its indentation. */
export function assignments(source: string, name: string): { at: number; pieces: Piece[] }[] {
  const pattern = new RegExp(`^[ \\t]*${name}[ \\t]*=(?!=)`, "gm");
  return [...source.matchAll(pattern)].flatMap((match) => {
    const pieces = concatenation(source, match.index + match[0].length);
    return pieces === null ? [] : [{ at: match.index, pieces }];
  });
}

function skipSpaces(source: string, at: number): number {
  while (source[at] === " " || source[at] === "\t") at++;
  return at;
}

function stringAt(source: string, at: number): { text: string; end: number } | null {
  STRING.lastIndex = at;
  const [opening, prefix = "", quote = ""] = STRING.exec(source) ?? [];
  if (opening === undefined) return null;
  const raw = /r/i.test(prefix);
  const format = /f/i.test(prefix);
  const from = at + opening.length;
  for (let end = from; end < source.length; end++) {
    if (source[end] === "\\") end++;
    else if (source.startsWith(quote, end)) {
      const body = source.slice(from, end);
      const text = raw ? body : unescaped(body);
      return { text: format ? text.replace(/\{\{|\}\}/g, (pair) => pair[0]!) : text, end: end + quote.length };
    } else if (quote.length === 1 && source[end] === "\n") return null;
  }
  return null;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "\n": "",
};

function unescaped(body: string): string {
  const pattern = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^]))/g;
  return body
    .replaceAll("\r\n", "\n")
    .replace(pattern, (whole, unicode?: string, hex?: string, char?: string) =>
      char === undefined ? String.fromCodePoint(Number.parseInt(unicode ?? hex ?? "", 16)) : (ESCAPES[char] ?? whole),
    );
}
