/** The interpreter that workers run on: found, and staged where an unprivileged uid can read it, by `sandbox/varft_sandbox/runtime.py`. */
import { execFile } from "node:child_process";
import { machine, release, type, version } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { SandboxError } from "../core/errors.ts";
import { homeFolder, packageFolder } from "../core/installation.ts";

/** Where the runtime lies: for PYTHONPATH this project's program, then the packages; for LD_LIBRARY_PATH the folders of libpython. */
const layoutSchema = z.strictObject({
  python: z.string(),
  paths: z.array(z.string()),
  libraryFolders: z.array(z.string()),
});
export type Layout = z.infer<typeof layoutSchema>;

const runtimeSchema = z.strictObject({
  /** Each file or folder of it on the host, and where a jail shows it. */
  trees: z.array(z.strictObject({ source: z.string(), inside: z.string() })),
  outside: layoutSchema,
  inside: layoutSchema,
});
export type Runtime = z.infer<typeof runtimeSchema>;

/** What any dynamically linked interpreter reads besides; absent paths are left out later. */
export const SYSTEM_LIBRARIES = [
  "/lib",
  "/lib64",
  "/usr/lib",
  "/usr/lib64",
  "/usr/local/lib",
  "/nix/store",
  "/etc/ld.so.cache",
];
export const DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/**
 * Locates the runtime of `python`. `otherUid`: workers will run under another uid than ours, so a copy is staged when the
 * original cannot be read by others; a second call finds the first one's copy. Throws `sandbox.runtime_unusable`, and
 * `sandbox.unavailable` anywhere but on Linux and macOS.
 */
export async function prepareRuntime(python: string, otherUid: boolean): Promise<Runtime> {
  if (process.platform !== "linux" && process.platform !== "darwin") {
    throw new SandboxError("sandbox.unavailable", `the sandbox needs Linux or macOS; this is ${process.platform}`, {
      hint: "Run in a Linux container or virtual machine, or use another host's sandbox (`varft sandbox serve` there, sandbox.url here).",
      details: { platform: process.platform },
    });
  }
  const program = join(packageFolder, "sandbox");
  const candidates = stagingFolders();
  const request = JSON.stringify({ program, otherUid, candidates });
  try {
    const script = join(program, "varft_sandbox", "runtime.py");
    const { stdout } = await promisify(execFile)(python, ["-I", "-B", script, request]);
    return runtimeSchema.parse(JSON.parse(stdout));
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() ?? "";
    throw new SandboxError(
      "sandbox.runtime_unusable",
      `the sandbox's Python cannot be used: ${said || String(error)}`,
      {
        hint: "Run `npm run setup` again, or set VARFT_HOME to a folder that other users can read and has 400 MB free.",
        details: { python, candidates },
        cause: error,
      },
    );
  }
}

/** Where copies for other uids may lie: the first that only we can write and everybody can enter. */
export function stagingFolders(): string[] {
  return [join(homeFolder(), "sandbox-runtime"), "/var/cache/varft/sandbox-runtime", "/var/tmp/varft-sandbox-runtime"];
}

/** Host paths and where a jail shows them: all that a snippet can read besides its own folder. */
export function jailBinds(runtime: Runtime): { source: string; inside: string }[] {
  return [...runtime.trees, ...[...SYSTEM_LIBRARIES, ...DEVICES].map((path) => ({ source: path, inside: path }))];
}

/** The whole environment of a worker: nothing of the host's. */
export function workerEnvironment(layout: Layout): Record<string, string> {
  return {
    PATH: "/usr/bin:/bin",
    LANG: "C.UTF-8",
    PYTHONPATH: layout.paths.join(":"),
    ...(layout.libraryFolders.length > 0 ? { LD_LIBRARY_PATH: layout.libraryFolders.join(":") } : {}),
    PYTHONHASHSEED: "0",
    OMP_NUM_THREADS: "1",
    OPENBLAS_NUM_THREADS: "1",
    MKL_NUM_THREADS: "1",
    NUMEXPR_NUM_THREADS: "1",
  };
}

/** Command line that runs a module of `sandbox/varft_sandbox` on this runtime with a JSON configuration. */
export function moduleCommand(layout: Layout, module: string, configuration: object): [string, ...string[]] {
  return [layout.python, "-s", "-S", "-P", "-B", "-m", `varft_sandbox.${module}`, JSON.stringify(configuration)];
}

/** What a worker is told; `sandbox/varft_sandbox/worker.py` says what each word means. */
export interface WorkerConfiguration {
  confinement: "mounts" | "jail" | "landlock" | "none";
  /** Landlock only: what may be read besides the folder. */
  readable?: string[];
  /** Where the working folders of snippets are made; absent where each is mounted. */
  folder?: string;
  /** False for a worker that takes over from another one on the same pipes. */
  announce?: boolean;
  /** Descriptor of /proc that it was started with, where it cannot open that itself. */
  processes?: number;
}

/** A worker's command line, on the host's own paths (`runtime.outside`) or on those inside a jail (`runtime.inside`). */
export function workerCommand(layout: Layout, configuration: WorkerConfiguration): [string, ...string[]] {
  // Told, because the worker must not ask: the same answer would name the host.
  const told = { sysname: type(), release: release(), version: version(), machine: machine() };
  return moduleCommand(layout, "worker", {
    readable: [],
    folder: null,
    announce: true,
    machine: told,
    processes: null,
    ...configuration,
  });
}
