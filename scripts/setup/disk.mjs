/**
 * Free space, asked before anything is written.
 */
import { existsSync, readdirSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { EXIT_DATA, SetupFailure } from "./failure.mjs";
import { bytes } from "./progress.mjs";

/** Free bytes on the file system that holds `folder`, which need not exist yet. @param {string} folder @returns {number} */
export function freeBytes(folder) {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

/** Throws `setup.disk_full` when `folder` has less than `needed` bytes. @param {string} folder @param {number} needed @param {string} purpose */
export function requireSpace(folder, needed, purpose) {
  const free = freeBytes(folder);
  if (free >= needed) return;
  throw diskFull(folder, [
    ["needed", `about ${bytes(needed)} for ${purpose}`],
    ["free", bytes(free)],
  ]);
}

/** @param {string} folder @param {[string, string][]} facts */
export function diskFull(folder, facts) {
  return new SetupFailure("setup.disk_full", "not enough disk space", {
    exitCode: EXIT_DATA,
    facts: [["folder", folder], ...facts],
    next: "free some space, or set VARFT_HOME to a folder on a larger disk (the Python environments go there)",
  });
}

/** Bytes of all files below `folder`; what vanishes meanwhile counts nothing. @param {string} folder @returns {number} */
export function folderBytes(folder) {
  let total = 0;
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return 0;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) total += folderBytes(path);
    else if (entry.isFile()) total += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
  return total;
}
