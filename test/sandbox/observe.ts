/** What the host looks like from outside the jail: processes, descriptors, files, kernel objects and settings that an attack could leave changed. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stagingFolders } from "../../src/sandbox/runtime.ts";
import { descendants, parentOf } from "./processes.ts";

/** Name of what was looked at, and what was seen. */
export type HostState = Record<string, string>;

const SETTINGS = `
  kernel/core_pattern kernel/modprobe kernel/hostname kernel/domainname kernel/core_uses_pid kernel/sysrq
  kernel/randomize_va_space kernel/yama/ptrace_scope kernel/kptr_restrict kernel/dmesg_restrict
  kernel/unprivileged_bpf_disabled kernel/perf_event_paranoid kernel/shmmax kernel/msgmax kernel/sem kernel/panic
  fs/suid_dumpable fs/protected_symlinks fs/protected_hardlinks fs/pipe-max-size vm/overcommit_memory
  vm/mmap_min_addr vm/panic_on_oom net/ipv4/ip_forward net/core/somaxconn user/max_user_namespaces`
  .trim()
  .split(/\s+/);

/** Names under which attacks plant files. */
const PLANTED = /planted|usercustomize|sitecustomize|^left/;

export function hostState(): HostState {
  const below = descendants(process.pid);
  return {
    ...Object.fromEntries(SETTINGS.map((name) => [`/proc/sys/${name}`, textOf(`/proc/sys/${name}`)])),
    "shared memory": kernelObjects("shm"),
    semaphores: kernelObjects("sem"),
    "message queues": kernelObjects("msg"),
    "planted files": ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/etc"].flatMap(planted).join(" "),
    "working folders": workerFolders()
      .flatMap((folder) => namesIn(folder))
      .join(" "),
    "processes and their descriptors": below
      .map((pid) => `${programOf(pid)} ${descriptors(pid)}`)
      .toSorted()
      .join(", "),
    orphans: orphans().join(" "),
  };
}

/** The state once it has stayed the same for a while: workers fork their next processes after a response. */
export async function settledHostState(): Promise<HostState> {
  for (let before = hostState(), same = 0; ;) {
    await pause(50);
    const now = hostState();
    same = changes(before, now).length === 0 ? same + 1 : 0;
    if (same === 6) return now;
    before = now;
  }
}

/** What differs from `before`, as sentences. Waits a little for what is ending. */
export async function leftovers(before: HostState, withinMs = 5000): Promise<string[]> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const now = hostState();
    const changed = changes(before, now);
    if (changed.length === 0 || Date.now() > deadline) {
      return changed.map((name) => `host's ${name}: ${before[name]} became ${now[name]}`);
    }
    await pause(10);
  }
}

function changes(before: HostState, now: HostState): string[] {
  return Object.keys(now).filter((name) => now[name] !== before[name]);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Worker processes that nobody waits for: their parent is gone. */
export function orphans(): number[] {
  return numbersIn("/proc").filter(
    (pid) => textOf(`/proc/${pid}/cmdline`).includes("varft_sandbox") && parentOf(pid) === 1,
  );
}

/** Folders on disk that belong to workers of the host program `pid`, wherever workers may have them. */
export function workerFolders(pid = process.pid): string[] {
  const named = new RegExp(`^varft-sandbox-\\d+-${pid}-`);
  const roots = stagingFolders().flatMap((folder) => namesIn(folder).map((name) => join(folder, name, "work")));
  return [tmpdir(), ...roots].flatMap((parent) =>
    namesIn(parent)
      .filter((name) => named.test(name))
      .map((name) => join(parent, name)),
  );
}

/** How many files, pipes and sockets a process has open; "?" where we may not look. Network sockets would be among them. */
export function descriptors(pid: number): string {
  try {
    const kinds = readdirSync(`/proc/${pid}/fd`).map((fd) => kindOf(`/proc/${pid}/fd/${fd}`));
    return [...new Set(kinds)]
      .toSorted()
      .map((kind) => `${kinds.filter((other) => other === kind).length} ${kind}`)
      .join(" + ");
  } catch {
    return "?";
  }
}

function kindOf(path: string): string {
  try {
    return /^[a-z]+(?=:\[)/.exec(readlinkSync(path))?.[0] ?? "file";
  } catch {
    return "closed";
  }
}

function programOf(pid: number): string {
  return textOf(`/proc/${pid}/comm`).trim();
}

/** Without the head line and the columns that change by looking. */
function kernelObjects(kind: string): string {
  return textOf(`/proc/sysvipc/${kind}`)
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/).slice(0, 2).join(":"))
    .join(" ");
}

function planted(folder: string): string[] {
  return namesIn(folder).filter((name) => PLANTED.test(name));
}

function numbersIn(folder: string): number[] {
  return namesIn(folder).map(Number).filter(Number.isInteger);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
