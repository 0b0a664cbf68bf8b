/**
 * Colour where the terminal wants it: `NO_COLOR` and pipes get plain text.
 */
import { styleText } from "node:util";

type Format = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
/** Styles a piece of a line, or leaves it as it is. */
export type Paint = (format: Format, text: string) => string;

export function style(format: Format, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return painter(stream)(format, text);
}

/** What `style` does on this stream, for functions that make many lines. */
export function painter(stream: NodeJS.WriteStream): Paint {
  const plain = !stream.isTTY || (process.env["NO_COLOR"] ?? "") !== "";
  // The stream was asked here; newer versions of Node would ask process.stdout again.
  return plain ? (_format, text) => text : (format, text) => styleText(format, text, { validateStream: false });
}
