/**
 * A JSON list read one element at a time: a training file of any size costs the memory of its largest record.
 */
import { createReadStream } from "node:fs";
import { DataError } from "./errors.ts";

/**
 * The texts of the elements of a JSON list, in order. An element's own syntax is the caller's to judge.
 * Throws `data.missing_file`, or `data.not_json` when the file is no list, or ends inside it.
 *
 * @example for await (const text of jsonListElements("samples.json")) console.log(JSON.parse(text));
 */
export async function* jsonListElements(path: string): AsyncGenerator<string> {
  const splitter = new ListSplitter(path);
  try {
    for await (const chunk of createReadStream(path, "utf8")) yield* splitter.feed(chunk as string);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError("data.missing_file", `cannot read ${path}`, {
      hint: "Check the path.",
      details: { file: path },
      cause,
    });
  }
  splitter.end();
}

const SPACE = new Set([" ", "\n", "\r", "\t", "\u{feff}"]);

/** Finds where elements end: commas outside strings and brackets. */
class ListSplitter {
  readonly #path: string;
  #place: "before" | "inside" | "after" = "before";
  #depth = 0;
  #inString = false;
  #escaped = false;
  #text = "";
  #count = 0;

  constructor(path: string) {
    this.#path = path;
  }

  *feed(chunk: string): Generator<string> {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const char = chunk[at]!;
      if (this.#place !== "inside") {
        if (!SPACE.has(char)) this.#outside(char);
        from = at + 1;
      } else if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (char === "\\") this.#escaped = true;
        else if (char === '"') this.#inString = false;
      } else if (char === '"') {
        this.#inString = true;
      } else if (char === "{" || char === "[") {
        this.#depth++;
      } else if (this.#depth > 0) {
        if (char === "}" || char === "]") this.#depth--;
      } else if (char === "," || char === "]") {
        const text = (this.#text + chunk.slice(from, at)).trim();
        this.#text = "";
        from = at + 1;
        if (char === "]") this.#place = "after";
        // `[]` has no element; `[1,]` and `[,]` have an empty one, which is no JSON.
        if (char === "," || text !== "" || this.#count > 0) {
          this.#count++;
          yield text;
        }
      }
    }
    if (this.#place === "inside") this.#text += chunk.slice(from);
  }

  #outside(char: string): void {
    if (this.#place === "before" && char === "[") this.#place = "inside";
    else if (this.#place === "before") throw this.#notJson(`expected a list of records, got text beginning ${char}`);
    else throw this.#notJson(`expected nothing after the list, got text beginning ${char}`);
  }

  end(): void {
    if (this.#place === "before") throw this.#notJson("expected a list of records, got an empty file");
    if (this.#place === "inside") throw this.#notJson(`ends inside the list, at record ${this.#count}`);
  }

  #notJson(problem: string): DataError {
    return new DataError("data.not_json", `${this.#path}: ${problem}`, {
      hint: "Give a JSON file that is one list of records.",
      details: { file: this.#path },
    });
  }
}
