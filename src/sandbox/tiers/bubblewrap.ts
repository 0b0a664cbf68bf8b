/** Tier `bubblewrap`: the jail built by bubblewrap, where that package is installed. */
import { accessSync, constants, existsSync, lstatSync, readlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { releaseUid, workerUid } from "../identity.ts";
import { jailBinds, jailedWorker, type Runtime, workerEnvironment } from "../runtime.ts";
import type { Launch } from "../worker.ts";

/** As in `jail.py`. */
const JAIL_ID = "1000";

/** Throws when no `bwrap` is on PATH. */
export function bubblewrapLaunch(runtime: Runtime): Launch {
  const bubblewrap = findBubblewrap();
  const uid = workerUid();
  const environment = workerEnvironment(runtime.inside);
  // CAP_SYS_ADMIN: for the supervisors' mounts, over this user namespace only; see `jail.py`.
  const jail = `--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup-try
    --uid ${JAIL_ID} --gid ${JAIL_ID} --hostname sandbox --die-with-parent --new-session --as-pid-1
    --cap-drop ALL --cap-add CAP_SYS_ADMIN --clearenv`.split(/\s+/);
  const set = Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]);
  const shown = jailBinds(runtime).flatMap(({ source, inside }) => show(source, inside));
  const rest = "--dir /work --dir /tmp --remount-ro / --chdir / --".split(" ");
  return {
    command: [bubblewrap, ...jail, ...set, ...shown, ...rest, ...jailedWorker(runtime)],
    environment,
    ...(uid === undefined ? {} : { uid }),
    cleanUp: () => Promise.resolve(releaseUid(uid)),
  };
}

/** Read-only bind; a link is copied as a link; nothing when absent. */
function show(source: string, inside: string): string[] {
  if (!existsSync(source)) return [];
  const status = lstatSync(source);
  if (status.isSymbolicLink()) return ["--symlink", readlinkSync(source), inside];
  return [status.isCharacterDevice() ? "--dev-bind" : "--ro-bind", source, inside];
}

function findBubblewrap(): string {
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
