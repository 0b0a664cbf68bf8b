/**
 * Finds the Python that the environments are built with: 3.11 to 3.14, with `venv` and `ensurepip`.
 */
import { EXIT_CONFIG, SetupFailure } from "./failure.mjs";
import { runProcess } from "./process.mjs";

/**
 * @typedef {{command: string, version: string, executable: string, platform: string}} Python
 * @typedef {{command: string, problem: "absent" | "too_old" | "too_new" | "no_venv", text: string, version?: string}} Refused
 */

export const OLDEST = [3, 11];
export const NEWEST = [3, 14];
const RANGE = `${OLDEST.join(".")} to ${NEWEST.join(".")}`;

/** The user's own default first; then by name, best supported first. */
const NAMES = ["python3", "python", "python3.13", "python3.12", "python3.11", "python3.14"];

/** Runs on any Python, also 2.7, to be able to say that it is too old. */
const PROBE = `
import json, sys, sysconfig
missing = []
for name in ("venv", "ensurepip"):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
print(json.dumps({"version": list(sys.version_info[:3]), "executable": sys.executable, "missing": missing,
                  "platform": sysconfig.get_platform(), "os": sys.platform}))
`;

/** @param {string} command @returns {Promise<Python | Refused>} */
async function probe(command) {
  const { code, stdout } = await runProcess(command, ["-c", PROBE]);
  let found;
  try {
    found = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  } catch {
    return { command, problem: "absent", text: code === 127 ? "not found" : `does not run (exit code ${code})` };
  }
  const [major, minor] = found.version;
  const version = found.version.join(".");
  const text = `Python ${version} at ${found.executable}`;
  const at = (/** @type {number[]} */ [a = 0, b = 0]) => major * 100 + minor - (a * 100 + b);
  if (at(OLDEST) < 0) return { command, problem: "too_old", text: `${text}: too old`, version };
  if (at(NEWEST) > 0) return { command, problem: "too_new", text: `${text}: too new`, version };
  if (found.missing.length > 0) {
    return { command, problem: "no_venv", text: `${text}: without ${found.missing.join(" and ")}`, version };
  }
  return { command, version, executable: found.executable, platform: found.platform };
}

/**
 * The Python to use: `VARFT_PYTHON`, or the first usable name on PATH.
 * Throws `setup.python_absent`, `setup.python_too_old`, `setup.python_too_new` or `setup.python_without_venv`.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<Python>}
 */
export async function findPython(environment) {
  const override = environment["VARFT_PYTHON"];
  /** @type {Refused[]} */
  const refused = [];
  for (const command of override ? [override] : NAMES) {
    const result = await probe(command);
    if (!("problem" in result)) return result;
    refused.push(result);
  }
  throw explain(refused, override !== undefined && override !== "");
}

/** @param {Refused[]} refused @param {boolean} overridden */
function explain(refused, overridden) {
  const seen = refused.filter(({ problem }) => problem !== "absent");
  const found = (seen.length > 0 ? seen : refused).map(({ command, text }) => `${command}: ${text}`).join("\n");
  /** @type {[string, string][]} */
  const facts = [
    ["found", found],
    ["needed", `Python ${RANGE}, with venv`],
  ];
  const failure = (/** @type {string} */ code, /** @type {string} */ message, /** @type {string} */ next) =>
    new SetupFailure(code, message, { exitCode: EXIT_CONFIG, facts, next });
  const another = overridden ? "set VARFT_PYTHON to another Python" : "or set VARFT_PYTHON to its path";

  const withoutVenv = seen.find(({ problem }) => problem === "no_venv");
  if (withoutVenv !== undefined) {
    const minor = withoutVenv.version?.split(".").slice(0, 2).join(".");
    return failure(
      "setup.python_without_venv",
      `Python ${withoutVenv.version} has no venv`,
      `Debian, Ubuntu: sudo apt install python3-venv (or python${minor}-venv); elsewhere: install a complete Python,\n${another}`,
    );
  }
  const first = seen[0];
  if (first === undefined) {
    return failure(
      "setup.python_absent",
      overridden ? "VARFT_PYTHON is not a Python" : "no Python was found",
      overridden ? "set VARFT_PYTHON to the path of a Python, or unset it" : `install Python ${RANGE}, ${another}`,
    );
  }
  const old = first.problem === "too_old";
  return failure(
    old ? "setup.python_too_old" : "setup.python_too_new",
    `Python ${first.version} is too ${old ? "old" : "new"}`,
    overridden ? another : `install Python ${RANGE} beside it, ${another}`,
  );
}
