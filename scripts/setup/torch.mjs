/**
 * torch: which build pip chose, whether it suits the machine, and what was installed.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT_DATA, SetupFailure } from "./failure.mjs";
import { packageFolder, withoutCredentials } from "./installed.mjs";
import { runProcess } from "./process.mjs";
import { bytes } from "./progress.mjs";

/** @typedef {import("./pip.mjs").Wheel} Wheel */

/** Index with torch built for the CPU alone, as PyTorch documents it. */
const CPU_INDEX = "https://download.pytorch.org/whl/cpu";
const LARGE_BYTES = 1e9;

/** The one requirement of `engine/torch.lock`, for example `torch==2.13.0`. */
export function torchRequirement() {
  const lines = readFileSync(join(packageFolder, "engine", "torch.lock"), "utf8").split(/\r?\n/);
  return lines.find((line) => line.startsWith("torch=="))?.trim() ?? "torch";
}

/** True when the driver of an NVIDIA GPU is loaded. */
function hasNvidiaGpu() {
  return ["/proc/driver/nvidia/version", "/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg"].some((path) => existsSync(path));
}

/**
 * Advice before a download that this machine has no use for, or null.
 * @param {Wheel[]} wheels what pip would install for torch
 * @param {number} total bytes to download
 */
export function adviceAgainst(wheels, total) {
  const cuda = wheels.some(({ name }) => name.toLowerCase().startsWith("nvidia-"));
  if (!cuda || total < LARGE_BYTES || hasNvidiaGpu()) return null;
  return (
    `This machine has no NVIDIA GPU, but pip's configuration leads to torch's CUDA build (${bytes(total)}).\n` +
    `The CPU build is about 200 MB: stop with Ctrl-C and run  npm run setup -- --torch-index ${CPU_INDEX}`
  );
}

const DESCRIBE = `
import json, torch
build = "CPU"
if torch.version.cuda:
    build = "CUDA " + torch.version.cuda
elif torch.version.hip:
    build = "ROCm " + torch.version.hip
print(json.dumps({"version": torch.__version__, "build": build}))
`;

/**
 * The torch that is installed, by importing it. Throws `setup.torch_broken` when it does not load.
 * @param {string} python
 * @param {Wheel | undefined} wheel where it came from
 * @param {string} log
 * @returns {Promise<import("./installed.mjs").TorchBuild>}
 */
export async function describeTorch(python, wheel, log) {
  const { code, stdout, output } = await runProcess(python, ["-I", "-c", DESCRIBE], { log });
  if (code !== 0) {
    throw new SetupFailure("setup.torch_broken", "torch was installed but does not load", {
      exitCode: EXIT_DATA,
      facts: [
        ["python said", output.trim().split("\n").slice(-6).join("\n")],
        ["log", log],
      ],
      next: `choose another build, for example: npm run setup -- --torch-index ${CPU_INDEX}`,
    });
  }
  const source =
    wheel === undefined ? "unknown" : wheel.local ? fileURLToPath(wheel.url) : withoutCredentials(wheel.url);
  return { ...JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}"), source };
}
