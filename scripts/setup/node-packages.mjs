/**
 * The Node packages: `npm ci` when `node_modules` is not what `package-lock.json` says, and the link that `npx varft` finds.
 */
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { diagnose } from "./diagnose.mjs";
import { folderBytes, requireSpace } from "./disk.mjs";
import { packageFolder } from "./installed.mjs";
import { runProcess } from "./process.mjs";
import { bytes } from "./progress.mjs";

/** Measured with an empty npm cache: a lock file has no sizes. */
const DOWNLOAD_BYTES = 98e6;
const INSTALLED_BYTES = 190e6;

/** @typedef {{packages: Record<string, {version?: string, integrity?: string, optional?: boolean, devOptional?: boolean}>}} NpmLock */

/** @param {string} file @returns {NpmLock["packages"]} */
function lockedPackages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

/** True when every package of `package-lock.json` is installed in its version; npm leaves out optional ones of other platforms. */
export function nodePackagesInStep() {
  const installedFile = join(packageFolder, "node_modules", ".package-lock.json");
  if (!existsSync(installedFile)) return false;
  const installed = lockedPackages(installedFile);
  return Object.entries(lockedPackages(join(packageFolder, "package-lock.json"))).every(([path, wanted]) => {
    if (path === "") return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

const link = join(packageFolder, "node_modules", ".bin", "varft");
const program = join(packageFolder, "bin", "varft.mjs");

/** True when `npx varft` finds this checkout's own program. */
export function binLinked() {
  return existsSync(link) && realpathSync(link) === realpathSync(program);
}

/** npm links the programs of dependencies only; without this link `npx varft` would ask the registry. */
export function linkBin() {
  mkdirSync(join(packageFolder, "node_modules", ".bin"), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join("..", "..", "bin", "varft.mjs"), link);
}

/** Runs `npm ci`. @param {import("./progress.mjs").Progress} progress @param {string} log */
export async function installNodePackages(progress, log) {
  const count = Object.keys(lockedPackages(join(packageFolder, "package-lock.json"))).length - 1;
  progress.start(
    "Node packages",
    `npm ci, ${count} packages for all platforms, about ${bytes(DOWNLOAD_BYTES)} to download`,
  );
  requireSpace(packageFolder, INSTALLED_BYTES, "node_modules");
  const modules = join(packageFolder, "node_modules");
  progress.watch(() => ({ label: `npm ci, ${bytes(folderBytes(modules))} written`, done: 0, total: 0 }));
  // Under `npm run`, npm names its own program: the npm that the user called.
  const npm = process.env["npm_execpath"];
  const [command, args] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  const { code, output } = await runProcess(command, [...args, "ci", "--no-audit", "--no-fund"], {
    cwd: packageFolder,
    log,
  });
  progress.stop();
  if (code !== 0) {
    throw diagnose(output, { tool: "npm", what: "npm ci (Node packages)", folder: packageFolder, log, code });
  }
  progress.done(`${bytes(folderBytes(modules))} in node_modules`);
}
