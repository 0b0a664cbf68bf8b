/**
 * What is installed: `<home>/current.json`, which the program reads (`src/core/installation.ts`), and `complete.json` in each environment.
 *
 * An environment lives in `<home>/<hash>/<name>`. The hash covers all that decides its content, so a changed lock file leads to a
 * new folder, and `complete.json`, written last, tells a finished one from an interrupted one.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runProcess } from "./process.mjs";

export const packageFolder = fileURLToPath(new URL("../../", import.meta.url));

/** @typedef {"sandbox" | "engine"} EnvironmentName */
/**
 * `build`: "CPU", "CUDA 13.0", "ROCm 6.4"; `source`: the file or the address it came from.
 * @typedef {{version: string, build: string, source: string}} TorchBuild
 */
/**
 * `lockSha256` is that of `<name>/requirements.lock`; `locks` has all lock files; `torchIndex` is null for pip's configuration.
 * @typedef {{
 *   python: string, lockSha256: string, locks: Record<string, string>, pythonVersion: string, basePython: string,
 *   torchIndex: string | null, torch: TorchBuild | null,
 * }} EnvironmentRecord
 */
/** @typedef {{version: 1, sandbox?: EnvironmentRecord, engine?: EnvironmentRecord}} Current */

/** Lock files of each environment, relative to the package folder; the first is the one that the program checks. */
export const LOCK_FILES = {
  sandbox: ["sandbox/requirements.lock"],
  engine: ["engine/requirements.lock", "engine/torch.lock", "engine/requirements-dev.lock"],
};

/** @param {NodeJS.ProcessEnv} environment */
export function homeFolder(environment) {
  return resolve(environment["VARFT_HOME"] || join(packageFolder, ".varft"));
}

/** sha256 of each lock file of an environment. @param {EnvironmentName} name @returns {Record<string, string>} */
export function lockDigests(name) {
  return Object.fromEntries(
    LOCK_FILES[name].map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(join(packageFolder, file)))
        .digest("hex"),
    ]),
  );
}

/** Folder of an environment. @param {string} home @param {EnvironmentName} name @param {{version: string, platform: string}} python @param {string | null} torchIndex */
export function environmentFolder(home, name, python, torchIndex) {
  const inputs = [name, lockDigests(name), python.version, python.platform, torchIndex];
  return join(home, createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16), name);
}

/** A URL without user name and password: what may be printed and kept. @param {string} url */
export function withoutCredentials(url) {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}

/** @param {string} path @returns {any} the JSON, or null when absent or damaged */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

/** Writes a file that is either the old one or the whole new one. @param {string} path @param {unknown} value */
function writeJson(path, value) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`);
  const file = openSync(draft, "r");
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, path);
}

/** @param {string} home @returns {Current} */
export function readCurrent(home) {
  const found = readJson(join(home, "current.json"));
  return found?.version === 1 ? found : { version: 1 };
}

/** @param {string} home @param {Current} current */
export function writeCurrent(home, current) {
  writeJson(join(home, "current.json"), current);
}

/** @param {string} folder @param {EnvironmentRecord} record */
export function markComplete(folder, record) {
  writeJson(join(folder, "complete.json"), record);
}

/** The record of a finished environment in `folder`, or null. @param {string} folder @returns {EnvironmentRecord | null} */
export function readComplete(folder) {
  return readJson(join(folder, "complete.json"));
}

/**
 * True when the environment can be used as it is: lock files unchanged, and its interpreter runs with the version it was built with.
 * @param {EnvironmentName} name
 * @param {EnvironmentRecord | null | undefined} record
 * @returns {Promise<boolean>}
 */
export async function isUsable(name, record) {
  if (!record || !existsSync(record.python)) return false;
  const wanted = lockDigests(name);
  if (LOCK_FILES[name].some((file) => record.locks?.[file] !== wanted[file])) return false;
  const { code, stdout } = await runProcess(record.python, [
    "-I",
    "-S",
    "-c",
    "import sys; print(*sys.version_info[:3], sep='.')",
  ]);
  return code === 0 && stdout.trim() === record.pythonVersion;
}
