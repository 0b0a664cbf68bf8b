/**
 * Tier `landlock`: no namespaces. Landlock rules and seccomp on an unprivileged process, its folder watched; where we are root also a
 * root folder that holds nothing of the host.
 */
import { chownSync } from "node:fs";
import { basename, join } from "node:path";
import { makeWorkerFolder, removeWorkerFolder } from "../folders.ts";
import { releaseUid, workerUid } from "../identity.ts";
import { environmentInside, rootFolder, workersIn } from "../root-folder.ts";
import {
  DEVICES,
  moduleCommand,
  type Runtime,
  SYSTEM_LIBRARIES,
  workerCommand,
  workerEnvironment,
} from "../runtime.ts";
import type { Launch } from "../worker.ts";

/** Number under which a worker in its own root folder finds /proc. */
const PROCESSES = 3;

export async function landlockLaunch(runtime: Runtime): Promise<Launch> {
  const answer = await rootFolder(runtime);
  return "root" in answer ? launchInOwnRoot(runtime, answer.root) : launchInHostRoot(runtime);
}

/** A snippet can ask whether a path of the host exists. */
export function launchInHostRoot(runtime: Runtime): Launch {
  const { uid, folder, cleanUp } = prepareFolder(runtime);
  const readable = [...runtime.trees.map((tree) => tree.source), ...SYSTEM_LIBRARIES, ...DEVICES];
  return {
    command: workerCommand(runtime.outside, { confinement: "landlock", readable, folder }),
    environment: workerEnvironment(runtime.outside),
    ...(uid === undefined ? {} : { uid }),
    cleanUp,
  };
}

function launchInOwnRoot(runtime: Runtime, root: string): Launch {
  const { uid, folder, cleanUp } = prepareFolder(runtime, workersIn(root));
  const readable = [...runtime.trees.map((tree) => tree.inside), ...SYSTEM_LIBRARIES, ...DEVICES];
  const inside = join(workersIn("/"), basename(folder));
  return {
    // Started as root, to change the root folder; it then becomes `uid`.
    command: moduleCommand(runtime.outside, "enter_root", {
      root,
      uid,
      processes: PROCESSES,
      command: workerCommand(runtime.inside, {
        confinement: "landlock",
        readable,
        folder: inside,
        processes: PROCESSES,
      }),
      environment: environmentInside(runtime),
    }),
    environment: workerEnvironment(runtime.outside),
    cleanUp,
  };
}

function prepareFolder(
  runtime: Runtime,
  parent?: string,
): { uid: number | undefined; folder: string; cleanUp: () => Promise<void> } {
  const uid = workerUid();
  const folder = makeWorkerFolder(parent);
  if (uid !== undefined) chownSync(folder, uid, uid);
  return {
    uid,
    folder,
    cleanUp() {
      releaseUid(uid);
      return removeWorkerFolder(runtime, folder);
    },
  };
}
