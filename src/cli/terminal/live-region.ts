/**
 * Some lines at the bottom of a terminal that are drawn again in place; ordinary lines scroll away above them.
 *
 * Between two drawings the cursor waits, hidden, at the region's top left. Whatever a resize does to the lines below, erasing from
 * the cursor on removes all of them.
 */
import { asciiOnly, speaksUtf8 } from "./ascii.ts";
import { fit } from "./width.ts";

/** Lines for a region of at most `height` lines of at most `width` columns. Anything beyond is cut. */
export type Draw = (width: number, height: number) => readonly string[];

/** Also how often elapsed time moves. */
const REDRAW_MS = 250;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const ERASE_BELOW = "\u001b[J";
const ERASE_REST_OF_LINE = "\u001b[K";

/** The region that owns the terminal. */
let current: LiveRegion | null = null;

/** Leaves the terminal as an ordinary program would: before an error is printed, whoever opened the region. */
export function closeLiveRegion(): void {
  current?.close();
}

/** Writes an ordinary line, above the live region where one is open: the one way to say something while a loop shows its progress. */
export function printLine(line: string, out: NodeJS.WriteStream = process.stdout): void {
  if (current?.writesTo(out) === true) current.print(line);
  else out.write(`${speaksUtf8() ? line : asciiOnly(line)}\n`);
}

/** False for pipes, continuous integration and terminals without cursor movement. */
export function canRedraw(out: Pick<NodeJS.WriteStream, "isTTY">, env: NodeJS.ProcessEnv = process.env): boolean {
  const ci = env["CI"] ?? "";
  return out.isTTY && env["TERM"] !== "dumb" && (ci === "" || ci === "false" || ci === "0");
}

export class LiveRegion {
  readonly #out: NodeJS.WriteStream;
  readonly #draw: Draw;
  readonly #timer: NodeJS.Timeout;
  readonly #ascii: boolean;
  #shown: string | null = null;

  /** Takes the terminal over; a region that is still open is closed. */
  static open(out: NodeJS.WriteStream, draw: Draw): LiveRegion {
    closeLiveRegion();
    current = new LiveRegion(out, draw);
    return current;
  }

  private constructor(out: NodeJS.WriteStream, draw: Draw) {
    this.#out = out;
    this.#draw = draw;
    this.#ascii = !speaksUtf8();
    out.on("resize", this.#redraw);
    process.on("exit", this.#abandon);
    process.on("SIGTSTP", this.#suspend);
    process.on("SIGCONT", this.#redraw);
    this.#timer = setInterval(() => this.#refresh(), REDRAW_MS).unref();
    this.#redraw();
  }

  writesTo(out: NodeJS.WriteStream): boolean {
    return this.#out === out;
  }

  /** Writes a line above the region. */
  print(line: string): void {
    this.#out.write(`\r${ERASE_BELOW}${this.#ascii ? asciiOnly(line) : line}\r\n`);
    this.#redraw();
  }

  /** Gives the terminal back; the last drawing stays as ordinary lines, or goes. Closing twice does nothing. */
  close(last: "keep" | "erase" = "keep"): void {
    if (current !== this) return;
    current = null;
    clearInterval(this.#timer);
    this.#out.off("resize", this.#redraw);
    process.off("exit", this.#abandon);
    process.off("SIGTSTP", this.#suspend);
    process.off("SIGCONT", this.#redraw);
    this.#out.write(`\r${ERASE_BELOW}${last === "erase" ? "" : this.#lasting()}${SHOW_CURSOR}`);
  }

  readonly #redraw = (): void => {
    this.#shown = null;
    this.#refresh();
  };

  #refresh(): void {
    const lines = this.#lines();
    const frame = lines.map((line) => line + ERASE_REST_OF_LINE).join("\r\n");
    if (frame === this.#shown) return;
    this.#shown = frame;
    const up = lines.length > 1 ? `\u001b[${lines.length - 1}A` : "";
    // In one write, so that no half-drawn frame shows.
    this.#out.write(`${HIDE_CURSOR}\r${frame}${ERASE_BELOW}${up}\r`);
  }

  #lines(): string[] {
    // The last column stays free: terminals differ in when a full line wraps.
    const width = Math.max(1, (this.#out.columns || 80) - 1);
    const height = Math.max(1, (this.#out.rows || 24) - 1);
    const lines = this.#draw(width, height).slice(0, height);
    return lines.map((line) => fit(this.#ascii ? asciiOnly(line) : line, width));
  }

  #lasting(): string {
    return this.#lines()
      .map((line) => `${line}\r\n`)
      .join("");
  }

  /** The process ends without `close`, with a stack trace where the region was perhaps: nothing is drawn over it. */
  readonly #abandon = (): void => {
    this.#out.write(`${ERASE_BELOW}${SHOW_CURSOR}`);
  };

  /** Ctrl-Z: the shell gets an ordinary terminal back. */
  readonly #suspend = (): void => {
    this.#out.write(`\r${ERASE_BELOW}${this.#lasting()}${SHOW_CURSOR}`);
    process.kill(process.pid, "SIGSTOP");
  };
}
