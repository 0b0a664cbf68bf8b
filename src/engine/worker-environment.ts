/**
 * The environment variables a worker is given: what Python, torch and the GPU driver need, and no secret of the user's.
 */
import { join } from "node:path";
import { packageFolder } from "../core/installation.ts";

const NAMES = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "TMPDIR",
  "LANG",
  "TZ",
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
  "VIRTUAL_ENV",
]);
const PREFIXES = [
  "LC_",
  "CUDA_",
  "CUBLAS_",
  "NVIDIA_",
  "NCCL_",
  "OMP_",
  "KMP_",
  "GOMP_",
  "MKL_",
  "OPENBLAS_",
  "TORCH_",
  "PYTORCH_",
  "TRITON_",
  "HF_",
  "TOKENIZERS_",
  "TRANSFORMERS_",
  "XDG_",
];
const SECRET = /(^|_)(TOKEN|SECRET|PASSWORD|KEY|CREDENTIALS?)(_|$)/i;

/** Name of the variable that carries the worker's token. */
export const TOKEN_VARIABLE = "VARFT_ENGINE_TOKEN";

/**
 * The worker's environment. Hugging Face is offline, since a worker loads folders only, unless `source` sets `HF_HUB_OFFLINE` itself;
 * with `HF_HUB_OFFLINE=0` its `HF_TOKEN` passes too.
 */
export function workerEnvironment(source: NodeJS.ProcessEnv, token: string): Record<string, string> {
  const environment: Record<string, string> = {
    HF_HUB_OFFLINE: "1",
    TRANSFORMERS_OFFLINE: source["HF_HUB_OFFLINE"] ?? "1",
    // Threads that wait for work must not spin: the sandbox and this process want the same cores.
    OMP_WAIT_POLICY: "PASSIVE",
  };
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined || !(NAMES.has(name) || PREFIXES.some((prefix) => name.startsWith(prefix)))) continue;
    const wanted = name === "HF_TOKEN" && source["HF_HUB_OFFLINE"] === "0";
    if (SECRET.test(name) && !wanted) continue;
    environment[name] = value;
  }
  const users = source["PYTHONPATH"];
  environment["PYTHONPATH"] = [join(packageFolder, "engine"), ...(users === undefined ? [] : [users])].join(":");
  environment[TOKEN_VARIABLE] = token;
  return environment;
}
