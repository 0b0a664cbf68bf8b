/** Tier `landlock`: no namespaces. Landlock rules and seccomp on an unprivileged process, its folder watched. */
import { execFile } from "node:child_process";
import { accessSync, chownSync, constants, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { releaseUid, workerUid } from "../identity.ts";
import { DEVICES, moduleCommand, type Runtime, SYSTEM_LIBRARIES, workerEnvironment } from "../runtime.ts";
import type { Launch } from "../worker.ts";

export function landlockLaunch(runtime: Runtime): Launch {
  const uid = workerUid();
  const folder = mkdtempSync(join(workBase(), "varft-sandbox-"));
  if (uid !== undefined) chownSync(folder, uid, uid);
  const readable = [...runtime.trees.map((tree) => tree.source), ...SYSTEM_LIBRARIES, ...DEVICES];
  return {
    command: moduleCommand(runtime.outside, "worker", { readable, folder }),
    environment: workerEnvironment(runtime.outside),
    ...(uid === undefined ? {} : { uid }),
    async cleanUp() {
      releaseUid(uid);
      // Not Node's rm: a snippet may have nested folders deeper than a path is long, or without permissions.
      await promisify(execFile)("chmod", ["-R", "u+rwx", "--", folder]).catch(() => {});
      await promisify(execFile)("rm", ["-rf", "--", folder]);
    },
  };
}

/** The temporary folder, unless it lies where the worker's uid cannot go. */
function workBase(): string {
  const base = tmpdir();
  for (let path = base; ; path = dirname(path)) {
    if ((statSync(path).mode & constants.S_IXOTH) === 0) return "/tmp";
    if (path === dirname(path)) break;
  }
  accessSync(base, constants.W_OK);
  return base;
}
