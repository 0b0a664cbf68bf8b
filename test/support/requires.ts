/**
 * What a test needs of the machine. A test that cannot run says so, loudly, instead of passing.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { environmentPython, packageFolder, type EnvironmentName } from "../../src/core/installation.ts";

/** Real transcripts and images, beside a checkout that has them. */
export const sharedData = join(packageFolder, "../shared/data");

function installed(name: EnvironmentName): boolean {
  try {
    environmentPython(name);
    return true;
  } catch {
    return false;
  }
}

/** False, with a message on stderr, when an environment or the shared data is absent: for `describe.skipIf(!has(...))`. */
export function has(what: EnvironmentName | "shared data"): boolean {
  const present = what === "shared data" ? existsSync(sharedData) : installed(what);
  if (!present)
    process.stderr.write(
      `SKIPPED: no ${what} here${what === "shared data" ? ` (${sharedData})` : "; run npm run setup"}\n`,
    );
  return present;
}
