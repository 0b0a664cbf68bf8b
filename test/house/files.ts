/**
 * Reading the repository's files, for the rules.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Outputs: by path, for `src/runs` is a room. */
const OUTPUTS = new Set(["node_modules", "dist", "runs"]);

/** Files below `folder` with one of the endings, as paths relative to `root` with forward slashes, sorted; none when it does not exist. */
export function filesBelow(root: string, folder: string, endings: readonly string[]): string[] {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .flatMap((entry) => {
      const path = folder === "." ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        const skipped = OUTPUTS.has(path) || entry.name === "__pycache__" || entry.name.startsWith(".");
        return skipped ? [] : filesBelow(root, path, endings);
      }
      return entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
    })
    .toSorted();
}

/** Names of the folders in `folder` that hold at least one file somewhere. */
export function foldersIn(root: string, folder: string): string[] {
  const first = filesBelow(root, folder, [""]).map((path) => path.slice(folder.length + 1));
  return [...new Set(first.filter((path) => path.includes("/")).map((path) => path.split("/", 1)[0] ?? ""))];
}
