/** Tier `bubblewrap`: the jail built by bubblewrap, where that package is installed. */
import { accessSync, constants, existsSync, lstatSync, readlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { releaseUid, workerUid } from "../identity.ts";
import { jailBinds, type Runtime, workerCommand, workerEnvironment } from "../runtime.ts";
import type { Launch } from "../worker.ts";

/** As in `jail.py`. */
const JAIL_ID = "1000";

/** Throws when no `bwrap` is on PATH. */
export function bubblewrapLaunch(runtime: Runtime): Launch {
  const bubblewrap = findBubblewrap();
  const uid = workerUid();
  // CAP_SYS_ADMIN: for the mounts of each snippet's process, over this user namespace only; see `jail.py`.
  const jail = `--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup-try
    --uid ${JAIL_ID} --gid ${JAIL_ID} --hostname sandbox --die-with-parent --new-session --as-pid-1
    --cap-drop ALL --cap-add CAP_SYS_ADMIN --clearenv`.split(/\s+/);
  const rest = "--dir /work --dir /tmp --remount-ro / --chdir / --".split(" ");
  const worker = workerCommand(runtime.inside, { confinement: "mounts" });
  return {
    command: [bubblewrap, ...jail, ...insideArguments(runtime), ...rest, ...worker],
    environment: workerEnvironment(runtime.inside),
    ...(uid === undefined ? {} : { uid }),
    cleanUp: () => Promise.resolve(releaseUid(uid)),
  };
}

/** What a snippet finds inside: environment and read-only files. */
export function insideArguments(runtime: Runtime): string[] {
  const set = Object.entries(workerEnvironment(runtime.inside)).flatMap(([name, value]) => ["--setenv", name, value]);
  return [...set, ...jailBinds(runtime).flatMap(({ source, inside }) => show(source, inside))];
}

/** Read-only bind; a link is copied as a link; nothing when absent. */
function show(source: string, inside: string): string[] {
  if (!existsSync(source)) return [];
  const status = lstatSync(source);
  if (status.isSymbolicLink()) return ["--symlink", readlinkSync(source), inside];
  return [status.isCharacterDevice() ? "--dev-bind" : "--ro-bind", source, inside];
}

/** Path of `bwrap`. Throws when none is on PATH. */
export function findBubblewrap(): string {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, "bwrap");
    try {
      if (folder !== "") accessSync(path, constants.X_OK);
      else continue;
      return path;
    } catch {
      continue;
    }
  }
  throw new Error("bubblewrap is not installed (no bwrap on PATH)");
}
