/**
 * From what npm or pip printed to a message that says what to do: disk, network, refused access, a version that is not there.
 */
import { diskFull, freeBytes } from "./disk.mjs";
import { EXIT_CONFIG, EXIT_DATA, SetupFailure } from "./failure.mjs";
import { bytes } from "./progress.mjs";

const NO_SPACE = /No space left on device|\[Errno 28\]|\bENOSPC\b|Disk quota exceeded|\[Errno 122\]/;
const CERTIFICATE =
  /CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_(?:GET|VERIFY)_|CERT_HAS_EXPIRED|SSLCertVerificationError/;
const NO_NETWORK =
  /NewConnectionError|ConnectTimeout|ReadTimeout|NameResolutionError|Failed to establish a new connection|Temporary failure in name resolution|Connection refused|connection broken by|ProxyError|Network is unreachable|\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/;
const REFUSED = /\b(?:401|403|407)\b (?:Client Error|Unauthorized|Forbidden|Proxy)|\b(?:E401|E403)\b/;
const NO_VERSION = /Could not find a version that satisfies the requirement (\S+).*?\(from versions: ([^)]*)\)/;
const NOT_FETCHED = /Could not fetch URL/;
const KEPT_LINES = 12;

/**
 * What the command was for, so that the message can say it.
 * @typedef {{
 *   tool: "npm" | "pip", what: string, folder: string, log: string, code: number | null,
 *   python?: {version: string, platform: string, command: string}, torchIndex?: string | null,
 * }} Context
 */

/** The requirement that pip did not find, or null. @param {string} output */
export function absentRequirement(output) {
  return NO_VERSION.exec(output)?.[1] ?? null;
}

/** The failure that `output` explains best. @param {string} output @param {Context} context @returns {SetupFailure} */
export function diagnose(output, context) {
  const { tool, what, folder, log, torchIndex } = context;
  /** @type {[string, string][]} */
  const facts = [["while", what]];
  if (torchIndex) facts.push(["torch index", torchIndex]);
  const line = (/** @type {RegExp} */ pattern) =>
    output
      .split(/\r?\n/)
      .find((text) => pattern.test(text))
      ?.trim()
      .slice(0, 300) ?? "";
  const source =
    tool === "npm" ? "npm's configuration (npm config get registry, proxy)" : "pip's configuration (pip config list)";

  if (NO_SPACE.test(output)) {
    return diskFull(folder, [
      ...facts,
      ["free", bytes(freeBytes(folder))],
      [`${tool} said`, line(NO_SPACE)],
      ["log", log],
    ]);
  }
  if (CERTIFICATE.test(output)) {
    return new SetupFailure("setup.certificate", "the package index showed a certificate that is not trusted", {
      exitCode: EXIT_DATA,
      facts: [...facts, [`${tool} said`, line(CERTIFICATE)], ["log", log]],
      next:
        tool === "npm"
          ? "behind a company proxy: npm config set cafile /path/to/ca.pem"
          : "behind a company proxy: pip config set global.cert /path/to/ca.pem",
    });
  }
  if (REFUSED.test(output)) {
    return new SetupFailure("setup.access_refused", "the package index refused access", {
      exitCode: EXIT_DATA,
      facts: [...facts, [`${tool} said`, line(REFUSED)], ["log", log]],
      next: `check user name and token in ${source}`,
    });
  }
  if (NO_NETWORK.test(output)) {
    return new SetupFailure("setup.no_network", "the package index cannot be reached", {
      exitCode: EXIT_DATA,
      facts: [...facts, [`${tool} said`, line(NO_NETWORK)], ["log", log]],
      next: `check the network${torchIndex ? ", --torch-index" : ""} and ${source}, then run this again: finished parts are kept`,
    });
  }
  const absent = NO_VERSION.exec(output);
  if (absent !== null) {
    const refusal = line(NOT_FETCHED);
    if (refusal !== "") facts.push(["pip said", refusal]);
    return noVersion(absent[1] ?? "", absent[2] ?? "", facts, context);
  }
  return new SetupFailure("setup.command_failed", `${tool} failed`, {
    exitCode: EXIT_DATA,
    facts: [
      ...facts,
      ["exit code", context.code === null ? "ended by a signal" : String(context.code)],
      [`${tool} said`, telling(output)],
      ["log", log],
    ],
    next: "read the log; running this again starts from the failed step",
  });
}

/** The lines that tell most: npm and pip mark errors, and the first one is the cause; else the last lines. @param {string} output */
function telling(output) {
  const lines = output.trim().split(/\r?\n/);
  const errors = lines.filter((line) => /^(?:npm error|ERROR:)/.test(line));
  return (errors.length > 0 ? errors.slice(0, KEPT_LINES) : lines.slice(-KEPT_LINES)).join("\n");
}

/** @param {string} wanted @param {string} offered @param {[string, string][]} facts @param {Context} context */
function noVersion(wanted, offered, facts, { python, torchIndex, log }) {
  const versions = offered === "none" || offered === "" ? "none" : offered.split(", ").slice(-8).join(", ");
  const names = python === undefined ? "" : ` for Python ${python.version} on ${python.platform}`;
  return new SetupFailure("setup.no_such_package", `no index offers ${wanted}${names}`, {
    exitCode: EXIT_CONFIG,
    facts: [...facts, ["wanted", wanted], ["offered", versions], ...pythonFact(python), ["log", log]],
    next: torchIndex
      ? "check --torch-index: it must hold that version for this Python (https://download.pytorch.org/whl/cpu does),\nor leave it out to use pip's own configuration"
      : "set VARFT_PYTHON to another Python (3.11 to 3.14), or check pip's configuration (pip config list)",
  });
}

/** @param {Context["python"]} python @returns {[string, string][]} */
function pythonFact(python) {
  return python === undefined ? [] : [["python", `${python.command} (${python.version}, ${python.platform})`]];
}
