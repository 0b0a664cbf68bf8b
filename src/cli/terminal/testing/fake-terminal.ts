/**
 * A terminal for tests: a TTY stream that interprets what the live region writes and nothing else, so that a test can look at the screen.
 */
import { EventEmitter } from "node:events";
import { displayWidth } from "../width.ts";

// eslint-disable-next-line no-control-regex
const PIECE = /\u001b\[(\??[0-9;]*)([A-Za-z])|[^]/gu;

export class FakeTerminal extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  cursorVisible = true;
  /** Writes so far. */
  writes = 0;
  /** Escape sequences that are none of the region's: each is a hole in the neutralising of model text, or a gap in this class. */
  readonly unknown: string[] = [];
  /** Every line ever, the scrollback first; a cell holds a character, a wide one is followed by an empty cell. */
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  /** As what the code under test takes. */
  get stream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream;
  }

  write(text: string): boolean {
    this.writes++;
    for (const [piece, argument, command] of text.matchAll(PIECE)) {
      if (command !== undefined) this.#obey(piece, argument ?? "", command);
      else this.#put(piece);
    }
    return true;
  }

  /** Scrollback and screen, without blanks at the ends of lines and below. */
  get text(): string {
    return this.#lines
      .map((cells) => cells.join("").trimEnd())
      .join("\n")
      .trimEnd();
  }

  /** Another size. Lines that are now too long break in two, as in most terminals; the cursor stays with its character. */
  resize(columns: number, rows: number): void {
    const broken: string[][] = [];
    let row = 0;
    this.#lines.forEach((cells, index) => {
      if (index === this.#row) row = broken.length;
      const used = cells.join("").trimEnd().length;
      for (let start = 0; start === 0 || start < used; start += columns)
        broken.push(cells.slice(start, start + columns));
    });
    this.#lines = broken;
    this.#row = row;
    this.columns = columns;
    this.rows = rows;
    this.emit("resize");
  }

  #obey(piece: string, argument: string, command: string): void {
    const line = this.#lines[this.#row] ?? [];
    if (command === "m") return;
    if (command === "K") line.length = Math.min(line.length, this.#column);
    else if (command === "J") {
      line.length = Math.min(line.length, this.#column);
      this.#lines.length = this.#row + 1;
    } else if (command === "A") {
      // The cursor does not leave the screen.
      const top = Math.max(0, this.#lines.length - this.rows);
      this.#row = Math.max(top, this.#row - Number(argument));
    } else if (argument === "?25" && (command === "l" || command === "h")) this.cursorVisible = command === "h";
    else this.unknown.push(piece);
  }

  #put(point: string): void {
    if (point === "\r") this.#column = 0;
    else if (point === "\n") this.#down();
    else if (point < " " || (point >= "\u007f" && point < "\u00a0")) this.unknown.push(point);
    else {
      const columns = displayWidth(point);
      if (this.#column + columns > this.columns) {
        this.#down();
      }
      const line = (this.#lines[this.#row] ??= []);
      while (line.length < this.#column) line.push(" ");
      line.splice(this.#column, columns, point, ...Array.from({ length: columns - 1 }, () => ""));
      this.#column += columns;
    }
  }

  #down(): void {
    this.#row++;
    // As a terminal in its ordinary mode does.
    this.#column = 0;
    this.#lines[this.#row] ??= [];
  }
}
