/**
 * Markup that is safe by construction: a template escapes whatever it is given that is not markup itself.
 */

/** Text that may stand in a page as it is. Only `markup` and `trusted` make it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes; null, undefined and false are left out. */
export type Content = string | number | Markup | null | undefined | false | readonly Content[];

/**
 * Text for element content and for quoted attribute values: `&`, `<`, `>` and both quotes as references. Control characters and
 * lone surrogates, which no HTML may hold, and bidirectional overrides, which show text other than it is, become `�`.
 *
 * @example escapeText('<b title="x">') === "&lt;b title=&quot;x&quot;&gt;"
 */
export function escapeText(text: string): string {
  return text
    .replace(
      // eslint-disable-next-line no-control-regex
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cs}\ufffe\uffff]/gu,
      "\ufffd",
    )
    .replace(/[&<>"']/g, (character) => `&${REFERENCES[character]};`);
}

const REFERENCES: Readonly<Record<string, string>> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "#39" };

/**
 * A template of markup. Values are escaped, `Markup` is kept, arrays are joined. Attribute values must be in double quotes.
 *
 * @example markup`<p title="${model}">${model}</p>`
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(strings.reduce((text, string, index) => `${text}${rendered(values[index - 1])}${string}`));
}

/** For text of this program's own, such as its style sheet. Never for anything read from a file. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function rendered(value: Content): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "string" || typeof value === "number") return escapeText(String(value));
  return value.map(rendered).join("");
}
