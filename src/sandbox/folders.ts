/**
 * Workers' folders on the host's disk (Landlock tier): made, removed, and swept when a killed host program left them.
 *
 * Named `varft-sandbox-<pid namespace>-<pid>-<start time>-<random>` after the host program, so that the next one can tell
 * whether their owner still lives.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { moduleCommand, type Runtime, workerEnvironment } from "./runtime.ts";

const PREFIX = "varft-sandbox";
const S_IXOTH = 0o001;

/** `parent`: where; by default below the temporary folder. */
export function makeWorkerFolder(parent: string = base()): string {
  return mkdtempSync(join(parent, `${PREFIX}-${pidNamespace()}-${process.pid}-${startTime(process.pid)}-`));
}

/** Not Node's rm: a snippet may have nested folders deeper than a path is long, or without permissions. */
export async function removeWorkerFolder(runtime: Runtime, folder: string): Promise<void> {
  const [program, ...rest] = moduleCommand(runtime.outside, "workspace", { folder });
  await promisify(execFile)(program, rest, { env: workerEnvironment(runtime.outside) });
}

/** Removes the folders whose host program is gone; what cannot be removed is another user's and stays. */
export async function sweepWorkerFolders(runtime: Runtime, parent: string = base()): Promise<void> {
  const pattern = new RegExp(`^${PREFIX}-${pidNamespace()}-(\\d+)-(\\d+)-`);
  for (const name of readdirSync(parent)) {
    const [, pid, started] = pattern.exec(name) ?? [];
    if (pid === undefined || startTime(Number(pid)) === started) continue;
    await removeWorkerFolder(runtime, join(parent, name)).catch(() => {});
  }
}

/** The temporary folder, unless it lies where a worker's uid cannot go. */
function base(): string {
  for (let path = tmpdir(); path !== dirname(path); path = dirname(path)) {
    if ((statSync(path).mode & S_IXOTH) === 0) return "/tmp";
  }
  return tmpdir();
}

function pidNamespace(): string {
  if (process.platform !== "linux") return "0";
  return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot; null when there is no such process. */
function startTime(pid: number): string | null {
  // Elsewhere nothing tells one process from a later one of the same number: folders of live numbers stay.
  if (process.platform !== "linux") return alive(pid) ? "0" : null;
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
