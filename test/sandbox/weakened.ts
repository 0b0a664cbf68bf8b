/** Workers with one protection taken away, so that the suite can see its attacks succeed. Nothing but tests may start one. */
import { environmentPython } from "../../src/core/installation.ts";
import { dropsUid } from "../../src/sandbox/identity.ts";
import { defaultLimits } from "../../src/sandbox/limits.ts";
import { SandboxPool } from "../../src/sandbox/pool.ts";
import { prepareRuntime } from "../../src/sandbox/runtime.ts";
import { launches } from "../../src/sandbox/tiers/index.ts";
import { launchInHostRoot } from "../../src/sandbox/tiers/landlock.ts";
import type { SandboxTier } from "../../src/sandbox/types.ts";
import { Worker } from "../../src/sandbox/worker.ts";

/** Python that runs inside the worker before it starts, each taking one layer away. */
export const REMOVALS = {
  "system-call filter": "seccomp.install = lambda program: None",
  "resource limits": "confine.limit = lambda **limits: None",
  "closing of descriptors": "confine.close_all_but = lambda keep: None",
  "file rules": "landlock.restrict = lambda *rules: None",
  "own root folder": "",
  "room of the mounted folder": `
mount = kernel.mount
kernel.mount = lambda source, target, kind, flags=0, data="": mount(source, target, kind, flags, "mode=0700")`,
  "watch over the folder": "workspace.WatchedFolder.overfull = lambda self, child: None",
  "refusal of links as output": "output_file.os = type('os', (), {**vars(output_file.os), 'O_NOFOLLOW': 0})",
  "small environment": "snippet._forget_the_worker = lambda home: None",
  "repeatable seeds":
    "snippet._seed = lambda: __import__('numpy').random.seed(list(open('/dev/urandom', 'rb').read(8)))",
} as const;
export type Removal = keyof typeof REMOVALS;

/** A pool of one worker of `tier` that lacks a layer; without a self-test, which would refuse it. */
export async function openWeakened(tier: SandboxTier, removal: Removal): Promise<SandboxPool> {
  const runtime = await prepareRuntime(environmentPython("sandbox"), dropsUid());
  const program = `
import json, sys
from varft_sandbox import confine, kernel, landlock, output_file, seccomp, snippet, supervisor, watching, worker, workspace, zygote
${REMOVALS[removal]}
sys.exit(worker.main(json.loads(sys.argv[1])))`;
  // In a root folder of its own a worker would find nothing to read, with or without rules.
  const inHostRoot = tier === "landlock" && (removal === "file rules" || removal === "own root folder");
  const start = async (): Promise<Worker> => {
    const launch = await (inHostRoot ? launchInHostRoot : launches[tier])(runtime);
    const [first, ...rest] = withProgram(launch.command, program);
    return Worker.start({ ...launch, command: [first!, ...rest] });
  };
  return new SandboxPool({ tier, workers: 1, limits: defaultLimits, start, first: await start() });
}

/** The same command line with `program` for the worker's module, also where it lies within the JSON of another module. */
function withProgram(command: readonly string[], program: string): string[] {
  const module = ["-m", "varft_sandbox.worker"];
  return command.map((word, index) => {
    if (word === module[1]) return program;
    if (word === module[0] && command[index + 1] === module[1]) return "-c";
    if (!word.startsWith("{")) return word;
    return word.replaceAll(JSON.stringify(module).slice(1, -1), JSON.stringify(["-c", program]).slice(1, -1));
  });
}
