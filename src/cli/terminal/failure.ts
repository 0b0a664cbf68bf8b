/**
 * An error on one screen: what was wrong, what to do next, and the exit code.
 */
import { EXIT_INTERRUPTED, VarftError } from "../../core/errors.ts";
import { closeLiveRegion } from "./live-region.ts";
import { printable } from "./printable.ts";
import { style } from "./style.ts";

/** Lines of a message that fit beside its hint on one screen. */
const MAX_LINES = 15;

/** Prints the error to stderr and returns the exit code. An error that is no `VarftError` is a fault of this program: it shows its stack. */
export function reportFailure(error: unknown, interrupted: boolean): number {
  closeLiveRegion();
  const err = process.stderr;
  if (interrupted) {
    err.write("interrupted\n");
    return EXIT_INTERRUPTED;
  }
  if (!(error instanceof VarftError)) {
    err.write(
      `${style("red", "internal error", err)} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return 1;
  }
  const lines = printable(error.message).split("\n");
  const shown =
    lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), `… and ${lines.length - MAX_LINES} more lines`] : lines;
  err.write(`${style("red", `error ${error.code}`, err)}\n${shown.map((line) => `  ${line}`).join("\n")}\n`);
  if (error.hint !== null) err.write(`${style("cyan", "next", err)} ${printable(error.hint)}\n`);
  return error.exitCode;
}
