#!/usr/bin/env node
/**
 * The `varft` command. In a checkout (`src/` beside this folder) TypeScript runs as it stands, through tsx; the published
 * package runs `dist/`. Nothing else belongs here: arguments are parsed in `src/cli/main.ts`.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const source = new URL("../src/cli/main.ts", import.meta.url);
const built = new URL("../dist/cli/main.js", import.meta.url);

/** @param {string[]} lines @returns {never} */
function refuse(...lines) {
  process.stderr.write(`varft: ${lines.join("\n")}\n`);
  process.exit(2);
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  refuse(`Node >= 20.19 is needed, this is ${process.versions.node}.`, "  Install a newer Node: https://nodejs.org");
}

try {
  if (existsSync(source)) {
    const { register } = await import("tsx/esm/api");
    // `false`: a tsconfig.json in the folder where the user happens to be must not change how this package is compiled.
    register({ tsconfig: false });
    await import(source.href);
  } else {
    await import(built.href);
  }
} catch (error) {
  const missing = missingPackage(error);
  if (missing === null) throw error;
  refuse(
    `the package "${missing}" is not installed in ${fileURLToPath(new URL("..", import.meta.url))}`,
    "  Run `npm run setup` there first.",
  );
}

/** Name of the npm package whose absence `error` reports, or null: a missing file of our own is a defect and stays one. @param {unknown} error */
function missingPackage(error) {
  if (!(error instanceof Error) || /** @type {NodeJS.ErrnoException} */ (error).code !== "ERR_MODULE_NOT_FOUND")
    return null;
  return /^Cannot find package '([^']+)'/.exec(error.message)?.[1] ?? null;
}
