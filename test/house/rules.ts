/**
 * The other rules of the house: who imports torch, headers, file length, no path of somebody's machine.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, foldersIn } from "./files.ts";

const CODE = [".ts", ".tsx", ".mjs", ".py"];
const TEXT = [...CODE, ".md", ".yaml", ".yml", ".toml", ".json", ".lock"];
const PROGRAM_FOLDERS = ["src", "engine", "sandbox", "scripts", "bin"];
const MOST_LINES = 350;

const IMPORTS_TORCH = /^[ \t]*(?:import[ \t]+(?:[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*torch\b|from[ \t]+torch\b)/m;
const MACHINE_PATH = /(?<![\w.])\/(?:home|Users)\/[a-z][\w.-]*\/|(?<![\w.])\/(?:root|work)\/[\w.]|(?<![\w.])\/tmp\/w\//;

const read = (root: string, path: string): string => readFileSync(join(root, path), "utf8");

/** Python files outside `engine/` that import torch; `bench/` measures the worker beside plain torch. */
export function torchOutsideEngine(root: string): string[] {
  return filesBelow(root, ".", [".py"]).filter(
    (path) => !path.startsWith("engine/") && !path.startsWith("bench/") && IMPORTS_TORCH.test(read(root, path)),
  );
}

/** Files of program text that are too long, with their number of lines. */
export function longFiles(root: string): string[] {
  return PROGRAM_FOLDERS.flatMap((folder) => filesBelow(root, folder, CODE)).flatMap((path) => {
    const lines = read(root, path).trimEnd().split("\n").length;
    return lines > MOST_LINES ? [`${path}: ${lines} lines, at most ${MOST_LINES}`] : [];
  });
}

/** Files that name a folder of somebody's machine. */
export function machinePaths(root: string): string[] {
  return [...PROGRAM_FOLDERS, "docs", "recipes", "examples", "bench"]
    .flatMap((folder) => filesBelow(root, folder, TEXT))
    .concat(filesBelow(root, ".", ["README.md", "CONTRIBUTING.md"]))
    .flatMap((path) => {
      const found = MACHINE_PATH.exec(read(root, path));
      return found === null ? [] : [`${path}: ${found[0]}`];
    });
}

/** The text a newcomer reads first in a folder: README.md, or the opening comment of `index.ts` or `__init__.py`; null without any. */
function headerOf(root: string, folder: string): string | null {
  if (existsSync(join(root, folder, "README.md"))) return read(root, `${folder}/README.md`);
  for (const [file, comment] of [
    ["index.ts", /^\/\*\*(.*?)\*\//s],
    ["__init__.py", /^"""(.*?)"""/s],
  ] as const) {
    if (existsSync(join(root, folder, file))) return comment.exec(read(root, `${folder}/${file}`))?.[1] ?? null;
  }
  return null;
}

/** Rooms whose header is missing, shorter than two lines, or does not say what may not live there. */
export function poorHeaders(root: string): string[] {
  const rooms = foldersIn(root, "src").map((room) => `src/${room}`);
  const others = ["engine", "sandbox", "scripts", "test"].filter((folder) => filesBelow(root, folder, [""]).length > 0);
  return [...rooms, ...others].flatMap((folder) => {
    const header = headerOf(root, folder);
    if (header === null) return [`${folder}: no README.md and no opening comment in index.ts`];
    const lines = header.split("\n").filter((line) => /[a-z]/i.test(line) && !line.startsWith("#"));
    if (lines.length < 2) return [`${folder}: the header has ${lines.length} line, at least 2 are needed`];
    if (!/\b(?:not|never|no|nothing|nobody|only)\b/i.test(header))
      return [`${folder}: the header does not say what may not live there`];
    return [];
  });
}

interface LockedPackage {
  version?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

/**
 * Faults of package-lock.json: optional packages that it lacks, with which `npm ci` refuses to work (an incomplete registry leaves
 * out those of other platforms), and addresses of somebody's registry.
 */
export function lockFaults(root: string): string[] {
  const { packages } = JSON.parse(read(root, "package-lock.json")) as { packages: Record<string, LockedPackage> };
  return Object.entries(packages).flatMap(([path, { version, resolved, optionalDependencies = {} }]) => {
    const absent = Object.keys(optionalDependencies).filter(
      (name) =>
        packages[`node_modules/${name}`] === undefined && packages[`${path}/node_modules/${name}`] === undefined,
    );
    return [
      ...absent.map((name) => `${path} ${version}: lacks ${name}`),
      ...(resolved === undefined ? [] : [`${path}: names ${resolved}`]),
    ];
  });
}
