/**
 * The stages of `npm test`: what each runs, and how its result is counted.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { homeFolder, packageFolder, readCurrent } from "../setup/installed.mjs";

/**
 * `count` tells where a stage's report is and how to read it; a stage without one counts as one check. Set-up counts only when it fails.
 * @typedef {{name: string, skipped: {name: string, reason: string}[], failures: string[], passed: number, failed: number, ms: number}} StageResult
 * @typedef {{passed: number, failures: string[], skipped: {name: string, reason: string}[]}} Counts
 * @typedef {{
 *   name: string, command: (context: {report: string, extra: string[]}) => string[],
 *   count?: (report: string) => Counts | null, weight?: number,
 * }} Stage
 */

const modules = join(packageFolder, "node_modules");
const node = (/** @type {string} */ program, /** @type {string[]} */ ...args) => [
  process.execPath,
  join(modules, program),
  ...args,
];

/** The engine's interpreter: the user's own, or what set-up made; a name that does not exist when neither is there. */
function enginePython() {
  return (
    process.env["VARFT_ENGINE_PYTHON"] ||
    readCurrent(homeFolder(process.env)).engine?.python ||
    "engine-environment-missing"
  );
}

/** @param {string[]} args */
const python = (...args) => [enginePython(), "-m", ...args];

/** @type {Stage[]} */
export const STAGES = [
  { name: "setup", command: () => [process.execPath, join(packageFolder, "scripts", "setup.mjs")], weight: 0 },
  { name: "types", command: () => node("typescript/bin/tsc", "--noEmit") },
  { name: "oxlint", command: () => node("oxlint/bin/oxlint") },
  { name: "prettier", command: () => node("prettier/bin/prettier.cjs", "--check", "--log-level", "warn", ".") },
  { name: "ruff-check", command: () => python("ruff", "check", "--quiet", ".") },
  {
    name: "ruff-format",
    command: () => python("ruff", "format", "--check", "--quiet", "--output-format=concise", "."),
  },
  {
    name: "vitest",
    command: ({ extra }) => {
      const reporter = fileURLToPath(new URL("./vitest-reporter.mjs", import.meta.url));
      return node("vitest/vitest.mjs", "run", "--reporter=default", `--reporter=${reporter}`, ...extra);
    },
    count: readVitestReport,
  },
  {
    name: "pytest",
    command: ({ report, extra }) => {
      const folders = ["engine/tests", "sandbox/tests"].filter((folder) => existsSync(join(packageFolder, folder)));
      return python("pytest", "-q", "--color=auto", `--junitxml=${report}`, ...(extra.length > 0 ? extra : folders));
    },
    count: readJunitReport,
  },
];

/** @param {string} report @returns {Counts | null} */
function readVitestReport(report) {
  return existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : null;
}

/** Python reads the XML: its parser is in the standard library. @param {string} report @returns {Counts | null} */
function readJunitReport(report) {
  if (!existsSync(report)) return null;
  const program = fileURLToPath(new URL("./junit_counts.py", import.meta.url));
  const { status, stdout } = spawnSync(enginePython(), [program, report], { encoding: "utf8" });
  return status === 0 ? JSON.parse(stdout) : null;
}

/**
 * Runs one stage. A runner that fails without naming a failed test still counts as one failure, and so does one that ran no test.
 * @param {Stage} stage
 * @param {{scratch: string, extra: string[]}} options
 * @returns {Promise<StageResult>}
 */
export async function runStage(stage, { scratch, extra }) {
  const report = join(scratch, `${stage.name}.report`);
  const [command = "", ...args] = stage.command({ report, extra });
  process.stdout.write(`\n=== ${stage.name}\n`);
  const startedAt = Date.now();
  const code = await new Promise((resolve) => {
    const plain = process.stdout.isTTY || process.env["FORCE_COLOR"] ? {} : { NO_COLOR: "1" };
    const environment = { ...process.env, ...plain, VARFT_TEST_REPORT: report };
    const child = spawn(command, args, { cwd: packageFolder, stdio: "inherit", env: environment });
    child.on("error", (error) => {
      process.stdout.write(`${error.message}\n`);
      resolve(127);
    });
    child.on("close", resolve);
  });
  const ms = Date.now() - startedAt;
  const { name, weight = 1 } = stage;
  if (stage.count === undefined) {
    const failures = code === 0 ? [] : [name];
    return { name, passed: code === 0 ? weight : 0, failed: failures.length, failures, skipped: [], ms };
  }
  const { passed, failures, skipped } = stage.count(report) ?? { passed: 0, failures: [], skipped: [] };
  if (failures.length === 0 && code !== 0) failures.push(`${name} ended with exit code ${code}`);
  if (failures.length === 0 && passed === 0) failures.push(`${name} ran no test`);
  return { name, passed, failed: failures.length, failures, skipped, ms };
}
