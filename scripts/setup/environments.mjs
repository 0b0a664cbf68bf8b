/**
 * The two Python environments: built in place (a venv cannot be moved), marked complete last, so that an interrupted one is built anew.
 */
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { requireSpace } from "./disk.mjs";
import { diagnose } from "./diagnose.mjs";
import {
  environmentFolder,
  lockDigests,
  LOCK_FILES,
  markComplete,
  packageFolder,
  withoutCredentials,
} from "./installed.mjs";
import { Pip } from "./pip.mjs";
import { runProcess } from "./process.mjs";
import { bytes } from "./progress.mjs";
import { adviceAgainst, describeTorch, torchRequirement } from "./torch.mjs";

/**
 * @typedef {import("./installed.mjs").EnvironmentName} EnvironmentName
 * @typedef {import("./installed.mjs").EnvironmentRecord} EnvironmentRecord
 * @typedef {import("./pip.mjs").Wheel} Wheel
 */

/** Least space an environment takes when built, download included; measured with the CPU build of torch. */
const LEAST_BYTES = { sandbox: 0.4e9, engine: 1.6e9 };
/** Installed size over wheel size: measured 4.5 for the CPU build (all of it is below `ORDINARY_BYTES`); CUDA's libraries compress less. */
const UNPACKING = { ordinary: 4.5, beyond: 2 };
const ORDINARY_BYTES = 0.3e9;

/** Space for wheels of `total` bytes, while they lie beside what is unpacked from them. @param {number} total */
function spaceFor(total) {
  const ordinary = Math.min(total, ORDINARY_BYTES);
  return total + ordinary * UNPACKING.ordinary + (total - ordinary) * UNPACKING.beyond;
}

/** @param {EnvironmentName[]} names @param {string} home */
export function requireSpaceFor(names, home) {
  const needed = names.reduce((sum, name) => sum + LEAST_BYTES[name], 0);
  if (needed > 0)
    requireSpace(home, needed, `the Python environment${names.length > 1 ? "s" : ""} ${names.join(" and ")}`);
}

/** One environment under construction. */
export class Environment {
  /** @type {Wheel[]} */
  #packages = [];
  /** @type {Wheel[]} torch and what only it needs */
  #torch = [];

  /**
   * @param {EnvironmentName} name
   * @param {{home: string, base: import("./python.mjs").Python, torchIndex: string | null, log: string, progress: import("./progress.mjs").Progress}} options
   */
  constructor(name, { home, base, torchIndex, log, progress }) {
    this.name = name;
    this.base = base;
    this.torchIndex = name === "engine" ? torchIndex : null;
    this.log = log;
    this.progress = progress;
    this.folder = environmentFolder(
      home,
      name,
      base,
      this.torchIndex === null ? null : withoutCredentials(this.torchIndex),
    );
    this.python = join(this.folder, "bin", "python");
    const scratch = join(dirname(this.folder), `${name}-downloads`);
    this.pip = new Pip({ python: this.python, scratch, log, context: base });
  }

  /** Requirement lines without torch. The lock files name every package, so pip need not look for dependencies. */
  get #lines() {
    const files = LOCK_FILES[this.name].filter((file) => !file.endsWith("torch.lock"));
    return files.map((file) => `-r ${join(packageFolder, file)}`);
  }

  /** Creates the empty venv, in place of what an interrupted set-up left. */
  async create() {
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.pip.scratch, { recursive: true, force: true });
    mkdirSync(dirname(this.folder), { recursive: true });
    // In two commands: `venv` hides what its own installation of pip printed.
    await this.#prepare(this.base.executable, ["-m", "venv", "--without-pip", this.folder]);
    await this.#prepare(this.python, ["-I", "-m", "ensurepip", "--upgrade", "--default-pip"]);
  }

  /** @param {string} python @param {string[]} args */
  async #prepare(python, args) {
    const { code, output } = await runProcess(python, args, { log: this.log });
    if (code === 0) return;
    const what = `python ${args.join(" ")}`;
    throw diagnose(output, { tool: "pip", what, folder: this.folder, log: this.log, code });
  }

  /** Finds out what would be installed, and says how much of it is downloaded. */
  async plan() {
    this.#packages = await this.pip.sizes(
      await this.pip.resolve(`looking up the packages of ${this.name}`, this.#lines, { dependencies: false }),
    );
    if (this.name === "engine") this.#torch = await this.pip.sizes(await this.#resolveTorch());
    const wheels = [...this.#packages, ...this.#torch];
    requireSpace(this.folder, spaceFor(sum(wheels)), `the ${this.name} environment`);
    this.progress.note(`${this.name}: ${downloads(wheels)}`);
    const advice = adviceAgainst(this.#torch, sum(this.#torch));
    if (advice !== null) this.progress.note(advice);
  }

  /**
   * With `--torch-index`, torch itself comes from there and from nowhere else; the libraries it needs may also come from pip's configuration.
   * @returns {Promise<Wheel[]>}
   */
  async #resolveTorch() {
    const requirement = torchRequirement();
    if (this.torchIndex === null) {
      return this.#beyondLock(await this.pip.resolve("looking up torch", [requirement], { dependencies: true }));
    }
    const only = { dependencies: false, onlyIndex: this.torchIndex };
    const [chosen] = await this.pip.resolve("looking up torch", [requirement], only);
    const pinned = chosen === undefined ? requirement : exactly(chosen);
    const lines = [`--extra-index-url ${this.torchIndex}`, pinned];
    const all = await this.pip.resolve("looking up torch", lines, { dependencies: true, torchIndex: this.torchIndex });
    return this.#beyondLock(all);
  }

  /** @param {Wheel[]} wheels */
  #beyondLock(wheels) {
    const locked = new Set(this.#packages.map(({ name }) => canonical(name)));
    return wheels.filter(({ name }) => !locked.has(canonical(name)));
  }

  /** Installs everything and marks the environment complete. @returns {Promise<EnvironmentRecord>} */
  async install() {
    await this.#step(`Packages of ${this.name}`, this.#packages, this.#lines, { dependencies: false });
    /** @type {import("./installed.mjs").TorchBuild | null} */
    let torch = null;
    if (this.name === "engine") {
      const chosen = this.#torch.find(({ name }) => name === "torch");
      const lines = [chosen === undefined ? torchRequirement() : exactly(chosen)];
      await this.#step("torch", this.#torch, lines, { dependencies: true, torchIndex: this.torchIndex });
      torch = await describeTorch(this.python, chosen, this.log);
      this.progress.note(`torch ${torch.version}, ${torch.build} build, from ${torch.source}`);
      await this.pip.check();
    } else {
      // Snippets import what the lock file says, and nothing else.
      await this.pip.uninstall(["setuptools", "pip"]);
    }
    rmSync(this.pip.scratch, { recursive: true, force: true });
    const locks = lockDigests(this.name);
    /** @type {EnvironmentRecord} */
    const record = {
      python: this.python,
      lockSha256: locks[`${this.name}/requirements.lock`] ?? "",
      locks,
      pythonVersion: this.base.version,
      basePython: this.base.executable,
      torchIndex: this.torchIndex === null ? null : withoutCredentials(this.torchIndex),
      torch,
    };
    markComplete(this.folder, record);
    return record;
  }

  /**
   * @param {string} title
   * @param {Wheel[]} wheels
   * @param {string[]} lines
   * @param {{dependencies: boolean, torchIndex?: string | null}} options
   */
  async #step(title, wheels, lines, options) {
    this.progress.start(title, downloads(wheels));
    const total = sum(wheels.filter(({ local }) => !local));
    let unpacking = false;
    const onLine = (/** @type {string} */ line) => {
      if (line.startsWith("Installing collected packages")) unpacking = true;
    };
    this.progress.watch(() =>
      unpacking
        ? { label: "unpacking", done: 0, total: 0 }
        : { label: "downloading", done: this.pip.downloaded(), total },
    );
    await this.pip.install(`installing ${title}`, lines, { ...options, onLine }).finally(() => this.progress.stop());
    this.progress.done();
  }
}

/** `torch===2.13.0+cpu`: this build and no other; with `==` a version without a local part would match every build. @param {Wheel} wheel */
function exactly({ name, version }) {
  return `${name}===${version}`;
}

/** Name of a package as indexes compare it. @param {string} name */
function canonical(name) {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** @param {Wheel[]} wheels bytes known */
function sum(wheels) {
  return wheels.reduce((total, wheel) => total + (wheel.bytes ?? 0), 0);
}

/** "45 packages, about 70 MB to download, 192 MB from local files, 2 of unknown size" @param {Wheel[]} wheels */
function downloads(wheels) {
  const remote = wheels.filter(({ local }) => !local);
  const unknown = remote.filter(({ bytes: size }) => size === null).length;
  const local = sum(wheels) - sum(remote);
  const parts = [remote.length === 0 ? "nothing to download" : `about ${bytes(sum(remote))} to download`];
  if (local > 0) parts.push(`${bytes(local)} from local files`);
  if (unknown > 0) parts.push(`${unknown} of unknown size`);
  return `${wheels.length} package${wheels.length === 1 ? "" : "s"}, ${parts.join(", ")}`;
}
