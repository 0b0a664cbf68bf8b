/**
 * Flags and variables of set-up.
 */
import { parseArgs } from "node:util";
import { EXIT_CONFIG, SetupFailure } from "./failure.mjs";

export const LEVELS = /** @type {const} */ (["node", "sandbox", "engine"]);

/**
 * `torchIndex`: null keeps what is installed, or else asks pip's configuration; `"default"` goes back to pip's configuration.
 * @typedef {{level: typeof LEVELS[number], torchIndex: string | null, help: boolean}} Options
 */

export const USAGE = `npm run setup -- [--level node|sandbox|engine] [--torch-index URL]

  --level         how far to go (default: engine)
                    node     the Node packages: evaluation of API models without tools
                    sandbox  and the Python that runs model-written code
                    engine   and the Python that holds torch, for training and local checkpoints
  --torch-index   the package index that torch comes from, for example https://download.pytorch.org/whl/cpu
                  Default: pip's own configuration. It is remembered; "default" goes back to pip's configuration.
  --help          this text

Variables
  VARFT_HOME                                    where the Python environments go (default: .varft in this folder)
  VARFT_PYTHON                                  the Python to build them with (3.11 to 3.14)
  VARFT_TORCH_INDEX                             as --torch-index, also for \`npm test\` and \`npm run quickstart\`
  VARFT_ENGINE_PYTHON, VARFT_SANDBOX_PYTHON     an environment of your own, which set-up then leaves alone
pip's configuration (pip.conf, PIP_* variables) and npm's (.npmrc, npm_config_*) are honoured.
`;

/** @param {string} message @returns {SetupFailure} */
function usage(message) {
  return new SetupFailure("setup.usage", message, { exitCode: EXIT_CONFIG, next: `see the flags:\n\n${USAGE}` });
}

/**
 * Reads the command line. Throws `setup.usage`.
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Options}
 */
export function readOptions(argv, environment) {
  let values;
  try {
    ({ values } = parseArgs({
      args: argv,
      options: { level: { type: "string" }, "torch-index": { type: "string" }, help: { type: "boolean" } },
    }));
  } catch (error) {
    throw usage(error instanceof Error ? (error.message.split(/[.\n]/, 1)[0] ?? "") : String(error));
  }
  const level = LEVELS.find((known) => known === (values.level ?? "engine"));
  if (level === undefined) throw usage(`--level: expected ${LEVELS.join(", ")}, got "${values.level}"`);
  const torchIndex = values["torch-index"] ?? (environment["VARFT_TORCH_INDEX"] || null);
  if (torchIndex !== null && torchIndex !== "default" && !URL.canParse(torchIndex)) {
    throw usage(`--torch-index: expected a URL, got "${torchIndex}"`);
  }
  return { level, torchIndex, help: values.help ?? false };
}
