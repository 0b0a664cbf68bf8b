/**
 * pip, with the user's own configuration: what it would install, how large that is, and the installation itself.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { absentRequirement, diagnose } from "./diagnose.mjs";
import { folderBytes } from "./disk.mjs";
import { withoutCredentials } from "./installed.mjs";
import { runProcess } from "./process.mjs";

/**
 * One file that pip would install. `bytes` is null when the index does not tell; a local file is not downloaded.
 * @typedef {{name: string, version: string, url: string, local: boolean, bytes: number | null}} Wheel
 */

/**
 * A blank, not an empty value: pip ignores an empty variable and reads the file instead, while a blank is an empty list.
 */
const NOTHING_ELSE = { PIP_FIND_LINKS: " ", PIP_EXTRA_INDEX_URL: " " };

/** pip in one environment. */
export class Pip {
  /**
   * @param {{python: string, scratch: string, log: string, context: {version: string, platform: string, command: string}}} options
   *   `scratch`: a folder for downloads, on the disk whose space was checked: /tmp is often too small for torch
   */
  constructor({ python, scratch, log, context }) {
    this.python = python;
    this.scratch = scratch;
    this.log = log;
    this.context = context;
  }

  /** @returns {NodeJS.ProcessEnv} the user's configuration without what would install elsewhere or see other packages */
  #environment() {
    const { PYTHONPATH: _path, PYTHONHOME: _home, PIP_TARGET: _target, PIP_PREFIX: _prefix, ...rest } = process.env;
    return {
      ...rest,
      PIP_USER: "0",
      PIP_NO_INPUT: "1",
      PIP_DISABLE_PIP_VERSION_CHECK: "1",
      PIP_PROGRESS_BAR: "off",
      TMPDIR: this.scratch,
    };
  }

  /**
   * A requirements file in the scratch folder: an index address may hold a password, and arguments are visible to every user of the machine.
   * @param {string[]} lines
   */
  #requirements(lines) {
    mkdirSync(this.scratch, { recursive: true, mode: 0o700 });
    const file = join(this.scratch, "requirements.txt");
    writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
    return file;
  }

  /**
   * @param {string[]} args
   * @param {{env?: NodeJS.ProcessEnv, onLine?: (line: string) => void}} [options]
   */
  #run(args, { env = {}, onLine } = {}) {
    mkdirSync(this.scratch, { recursive: true, mode: 0o700 });
    return runProcess(this.python, ["-m", "pip", ...args], {
      env: { ...this.#environment(), ...env },
      log: this.log,
      ...(onLine === undefined ? {} : { onLine }),
    });
  }

  /**
   * @param {string} what for the message
   * @param {{code: number | null, output: string}} result
   * @param {string | null} [torchIndex]
   */
  #require(what, { code, output }, torchIndex = null) {
    if (code === 0) return;
    throw diagnose(output, {
      tool: "pip",
      what,
      folder: this.scratch,
      log: this.log,
      code,
      python: this.context,
      torchIndex: torchIndex === null ? null : withoutCredentials(torchIndex),
    });
  }

  /** @param {string} report @returns {Wheel[]} */
  #readReport(report) {
    const { install } = JSON.parse(readFileSync(report, "utf8"));
    rmSync(report);
    return install.map((/** @type {any} */ { metadata, download_info }) => {
      const url = download_info.url;
      const local = url.startsWith("file:");
      const bytes = local ? (statSync(fileURLToPath(url), { throwIfNoEntry: false })?.size ?? null) : null;
      return { name: metadata.name, version: metadata.version, url, local, bytes };
    });
  }

  /**
   * What pip would install for the requirement lines, without installing. `onlyIndex` asks that index and nothing else.
   * @param {string} what
   * @param {string[]} lines
   * @param {{dependencies: boolean, onlyIndex?: string | null, torchIndex?: string | null}} options
   * @returns {Promise<Wheel[]>}
   */
  async resolve(what, lines, { dependencies, onlyIndex = null, torchIndex = onlyIndex }) {
    const indexLines = onlyIndex === null ? [] : [`--index-url ${onlyIndex}`];
    const report = join(this.scratch, "report.json");
    const env = onlyIndex === null ? {} : NOTHING_ELSE;
    const ask = async (/** @type {string[]} */ requirements, /** @type {string[]} */ ...flags) => {
      const file = this.#requirements([...indexLines, ...requirements]);
      const args = ["install", "--dry-run", "--ignore-installed", "--report", report, "-r", file, ...flags];
      return this.#run(dependencies ? args : [...args, "--no-deps"], { env });
    };
    let result = await ask(lines);
    const absent = absentRequirement(result.output);
    if (result.code !== 0 && absent !== null) {
      // pip says "no such version" also where an index did not answer; why, it tells at this verbosity only.
      const second = await ask([absent], "-vv", "--no-deps");
      result = { ...result, output: `${result.output}\n${second.output}` };
    }
    this.#require(what, result, torchIndex);
    return this.#readReport(report);
  }

  /** Asks for the sizes of what would be downloaded; a size that cannot be found stays null. @param {Wheel[]} wheels @returns {Promise<Wheel[]>} */
  async sizes(wheels) {
    const remote = wheels.filter(({ local }) => !local);
    if (remote.length === 0) return wheels;
    const program = fileURLToPath(new URL("./wheel_sizes.py", import.meta.url));
    const input = JSON.stringify(remote.map(({ url }) => url));
    const { code, stdout } = await runProcess(this.python, [program], { env: this.#environment(), input });
    if (code !== 0) return wheels;
    /** @type {Record<string, number | null>} */
    const found = JSON.parse(stdout);
    return wheels.map((wheel) => (wheel.local ? wheel : { ...wheel, bytes: found[wheel.url] ?? null }));
  }

  /**
   * Installs the requirement lines and returns what was installed.
   * @param {string} what
   * @param {string[]} lines
   * @param {{dependencies: boolean, torchIndex?: string | null, onLine?: (line: string) => void}} options
   * @returns {Promise<Wheel[]>}
   */
  async install(what, lines, { dependencies, torchIndex = null, onLine }) {
    const file = this.#requirements(torchIndex === null ? lines : [`--extra-index-url ${torchIndex}`, ...lines]);
    const report = join(this.scratch, "report.json");
    const args = ["install", "--report", report, "-r", file];
    const options = onLine === undefined ? {} : { onLine };
    this.#require(what, await this.#run(dependencies ? args : [...args, "--no-deps"], options), torchIndex);
    return this.#readReport(report);
  }

  /** Throws when an installed package misses one that it needs, or has one of a version that it refuses. */
  async check() {
    this.#require("pip check (do the installed packages fit together?)", await this.#run(["check"]));
  }

  /** @param {string[]} names */
  async uninstall(names) {
    this.#require(`pip uninstall ${names.join(" ")}`, await this.#run(["uninstall", "--yes", ...names]));
  }

  /** Bytes downloaded so far by the command that runs. */
  downloaded() {
    return existsSync(this.scratch) ? folderBytes(this.scratch) : 0;
  }
}
