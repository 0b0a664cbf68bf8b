/**
 * The root folder that workers of tier `landlock` get where we are root: Landlock does not cover `stat`, so a path of the host must not
 * be there to ask about. Built by `sandbox/varft_sandbox/root_folder.py`, once for all workers and starts.
 */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { sweepWorkerFolders } from "./folders.ts";
import { releaseUid, workerUid } from "./identity.ts";
import { moduleCommand, type Runtime, stagingFolders, workerEnvironment } from "./runtime.ts";

/** Of the libraries inside. */
const LIBRARIES = "/lib";
/** Below it each worker has its folder. */
const WORK = "work";

const answerSchema = z.union([z.strictObject({ root: z.string() }), z.strictObject({ reason: z.string() })]);

/** The root folder's path on the host; or why there is none. */
export type RootFolder = z.infer<typeof answerSchema>;

const prepared = new WeakMap<Runtime, Promise<RootFolder>>();

/** Decided by doing it: the folder is built, or found, and tried. */
export function rootFolder(runtime: Runtime): Promise<RootFolder> {
  const known = prepared.get(runtime);
  if (known !== undefined) return known;
  const answer = prepare(runtime);
  prepared.set(runtime, answer);
  return answer;
}

/** Where a worker in `root` works: on the host; without `root`, as it sees it itself. */
export const workersIn = (root: string): string => join(root, "/", WORK);

/** The environment of a worker inside. */
export function environmentInside(runtime: Runtime): Record<string, string> {
  const { libraryFolders, ...rest } = runtime.inside;
  return workerEnvironment({ ...rest, libraryFolders: [...libraryFolders, LIBRARIES] });
}

/** Those of other versions too: one that holds a worker's folder is never deleted. */
async function sweepRootFolders(runtime: Runtime, parent: string): Promise<void> {
  for (const name of readdirSync(parent).filter((name) => /^root-[0-9a-f]+$/.test(name))) {
    await sweepWorkerFolders(runtime, workersIn(join(parent, name)));
  }
}

async function prepare(runtime: Runtime): Promise<RootFolder> {
  const uid = workerUid();
  if (uid === undefined) return { reason: "only root can give its workers a root folder of their own" };
  try {
    const [program, ...rest] = moduleCommand(runtime.outside, "root_folder", {
      trees: runtime.trees,
      python: runtime.inside.python,
      libraryFolders: runtime.outside.libraryFolders,
      environment: environmentInside(runtime),
      uid,
      candidates: stagingFolders(),
    });
    const { stdout } = await promisify(execFile)(program, rest, { env: workerEnvironment(runtime.outside) });
    const answer = answerSchema.parse(JSON.parse(stdout));
    if ("root" in answer) await sweepRootFolders(runtime, dirname(answer.root));
    return answer;
  } catch (error) {
    return { reason: `a root folder cannot be built: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    releaseUid(uid);
  }
}
