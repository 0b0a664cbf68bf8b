/**
 * Colour where the terminal wants it: `NO_COLOR` and pipes get plain text.
 */
import { styleText } from "node:util";

type Format = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export function style(format: Format, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  const plain = !stream.isTTY || (process.env["NO_COLOR"] ?? "") !== "";
  return plain ? text : styleText(format, text);
}
