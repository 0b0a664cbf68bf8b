/**
 * The order of set-up: look, and do nothing when nothing is missing; else take the lock, find a Python, say what is downloaded, install.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Environment, requireSpaceFor } from "./environments.mjs";
import { EXIT_CONFIG, EXIT_DATA, SetupFailure } from "./failure.mjs";
import { lockHome } from "./home-lock.mjs";
import { homeFolder, isUsable, readComplete, readCurrent, withoutCredentials, writeCurrent } from "./installed.mjs";
import { binLinked, installNodePackages, linkBin, nodePackagesInStep } from "./node-packages.mjs";
import { readOptions, USAGE } from "./options.mjs";
import { runProcess, stopChildren } from "./process.mjs";
import { Progress } from "./progress.mjs";
import { findPython } from "./python.mjs";

/**
 * @typedef {import("./installed.mjs").EnvironmentName} EnvironmentName
 * @typedef {import("./installed.mjs").Current} Current
 * @typedef {import("./options.mjs").Options} Options
 */

/** @param {Options["level"]} level @returns {EnvironmentName[]} without those that the user brings */
function environmentsOf(level) {
  /** @type {EnvironmentName[]} */
  const names = level === "node" ? [] : level === "sandbox" ? ["sandbox"] : ["sandbox", "engine"];
  return names.filter((name) => ownPython(name) === null);
}

/** The interpreter that the user brings for an environment, or null. @param {EnvironmentName} name */
function ownPython(name) {
  return process.env[`VARFT_${name.toUpperCase()}_PYTHON`] || null;
}

/** @param {Options} options @param {Current} current @returns {string | null} null: pip's configuration */
function chosenTorchIndex({ torchIndex }, current) {
  if (torchIndex === "default") return null;
  return torchIndex ?? current.engine?.torchIndex ?? null;
}

/** Environments of the level that cannot be used as they are. @param {Options} options @param {Current} current */
async function missingEnvironments(options, current) {
  const index = chosenTorchIndex(options, current);
  const wanted = process.env["VARFT_PYTHON"] ? await findPython(process.env) : null;
  const usable = await Promise.all(
    environmentsOf(options.level).map(async (name) => {
      const record = current[name];
      const sameIndex =
        name === "sandbox" || (record?.torchIndex ?? null) === (index === null ? null : withoutCredentials(index));
      const samePython = wanted === null || record?.pythonVersion === wanted.version;
      return { name, usable: sameIndex && samePython && (await isUsable(name, record)) };
    }),
  );
  return usable.filter((entry) => !entry.usable).map(({ name }) => name);
}

/** @param {Options} options @param {string} home */
async function setUp(options, home) {
  for (const name of /** @type {const} */ (["sandbox", "engine"])) await requireOwnPython(name);
  const look = async () => ({
    node: !nodePackagesInStep(),
    environments: await missingEnvironments(options, readCurrent(home)),
  });
  let missing = await look();
  if (!missing.node && missing.environments.length === 0) {
    if (!binLinked()) linkBin();
    process.stdout.write(`already set up: ${summary(options, readCurrent(home))}\n`);
    return;
  }

  mkdirHome(home);
  const unlock = await lockHome(home, (pid) =>
    process.stdout.write(`another set-up is running (process ${pid ?? "unknown"}): waiting for it to end\n`),
  );
  const interrupt = () => {
    stopChildren();
    unlock();
    process.stderr.write("\nset-up interrupted: what was finished is kept, run it again to go on\n");
    process.exit(130);
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    missing = await look(); // the other set-up may have done it all
    await install(options, home, missing);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    unlock();
  }
}

/** @param {Options} options @param {string} home @param {{node: boolean, environments: EnvironmentName[]}} missing */
async function install(options, home, missing) {
  const log = join(home, "setup.log");
  writeFileSync(log, `set-up of ${new Date().toISOString()}, Node ${process.versions.node}\n`);
  const { environments: names } = missing;
  const steps = (missing.node ? 1 : 0) + (names.length > 0 ? 2 + names.length + (names.includes("engine") ? 1 : 0) : 0);
  const progress = new Progress(steps);
  process.stdout.write(`visual-arft set-up: ${steps} step${steps === 1 ? "" : "s"}, log in ${log}\n`);

  let base = null;
  if (names.length > 0) {
    progress.start("Python", "3.11 to 3.14 with venv");
    base = await findPython(process.env);
    requireSpaceFor(names, home);
    progress.done(`${base.command}: Python ${base.version} at ${base.executable}`);
  }
  if (missing.node) await installNodePackages(progress, log);
  linkBin();
  const current = readCurrent(home);
  if (base !== null) {
    const torchIndex = chosenTorchIndex(options, current);
    const started = names.map((name) => new Environment(name, { home, base, torchIndex, log, progress }));
    await installEnvironments(started, home, progress);
  }
  process.stdout.write(`set up in ${progress.elapsed()}: ${summary(options, readCurrent(home))}\n${sandboxAdvice()}`);
}

/** @param {Environment[]} environments @param {string} home @param {Progress} progress */
async function installEnvironments(environments, home, progress) {
  progress.start("Environments", `what is to be downloaded into ${home}`);
  /** @type {Environment[]} */
  const toBuild = [];
  for (const environment of environments) {
    const finished = readComplete(environment.folder);
    if (await isUsable(environment.name, finished)) {
      writeCurrent(home, { ...readCurrent(home), [environment.name]: finished });
      progress.note(`${environment.name}: found complete in ${environment.folder}`);
      continue;
    }
    progress.watch(() => ({
      label: `${environment.name}: creating a venv and asking the package index`,
      done: 0,
      total: 0,
    }));
    await environment
      .create()
      .then(() => environment.plan())
      .finally(() => progress.stop());
    toBuild.push(environment);
  }
  progress.done();
  for (const environment of toBuild) {
    const record = await environment.install();
    writeCurrent(home, { ...readCurrent(home), [environment.name]: record });
  }
}

/** @param {string} home */
function mkdirHome(home) {
  try {
    mkdirSync(home, { recursive: true });
  } catch (error) {
    throw new SetupFailure("setup.folder", "the folder for the environments cannot be made", {
      exitCode: EXIT_DATA,
      facts: [
        ["folder", home],
        ["reason", error instanceof Error ? error.message : String(error)],
      ],
      next: "set VARFT_HOME to a folder that you may write to",
    });
  }
}

const PACKAGES = { sandbox: ["numpy", "opencv-python-headless", "pillow"], engine: ["torch", "transformers"] };

/** A user's own interpreter is used as it is, but it must have the packages. @param {EnvironmentName} name */
async function requireOwnPython(name) {
  const python = ownPython(name);
  if (python === null) return;
  const program = "import sys, importlib.metadata as m\nfor name in sys.argv[1:]: m.version(name)";
  const { code, output } = await runProcess(python, ["-c", program, ...PACKAGES[name]]);
  if (code === 0) return;
  throw new SetupFailure("setup.own_python", `VARFT_${name.toUpperCase()}_PYTHON cannot be used`, {
    exitCode: EXIT_CONFIG,
    facts: [
      ["found", python],
      ["needed", `a Python with ${PACKAGES[name].join(", ")}`],
      ["it said", output.trim().split("\n").at(-1) ?? ""],
    ],
    next: `install the packages of ${name}/requirements.lock there, or unset the variable`,
  });
}

/** @param {Options} options @param {Current} current */
function summary({ level }, current) {
  const parts = [`Node ${process.versions.node}`];
  if (level !== "node") {
    const own = ownPython("sandbox");
    parts.push(own === null ? `sandbox (Python ${current.sandbox?.pythonVersion})` : `sandbox (your ${own})`);
  }
  if (level === "engine") {
    const own = ownPython("engine");
    const torch = current.engine?.torch;
    parts.push(
      own === null
        ? `engine (Python ${current.engine?.pythonVersion}, torch ${torch?.version}, ${torch?.build} build)`
        : `engine (your ${own})`,
    );
  }
  return parts.join(", ");
}

/** System packages are the user's: set-up names the one that would help. */
function sandboxAdvice() {
  if (process.platform !== "linux") return "";
  const found = (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "bwrap")));
  return found
    ? ""
    : "optional: the system package bubblewrap gives model-written code a stronger sandbox (apt install bubblewrap)\n";
}

/** Runs set-up and sets the exit code. @param {string[]} argv */
export async function main(argv) {
  // Whoever reads the output may go away (`| head`): that must not stop an installation halfway.
  process.stdout.on("error", () => {});
  try {
    const options = readOptions(argv, process.env);
    if (options.help) process.stdout.write(USAGE);
    else await setUp(options, homeFolder(process.env));
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(`${process.stdout.isTTY ? "" : "\n"}${error.render()}`);
    process.exitCode = error.exitCode;
  }
}
