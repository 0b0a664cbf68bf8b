/** Processes of this machine, read from /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** Process ids of everything that descends from `root`, itself left out. */
export function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(Number(entry));
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const found: number[] = [];
  const pending = [root];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    const next = children.get(pid) ?? [];
    found.push(...next);
    pending.push(...next);
  }
  return found;
}

/** Parent of a live process; null for one that is gone or a zombie. */
export function parentOf(pid: number): number | null {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return state === "Z" || state === "X" ? null : Number(parent);
  } catch {
    return null;
  }
}

/** How many seccomp filters a process is under; 0 for one that is gone. */
export function systemCallFilters(pid: number): number {
  try {
    return Number(/^Seccomp_filters:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Waits until none of `pids` lives; those that still do after `withinMs`. */
export async function survivors(pids: number[], withinMs = 5000): Promise<number[]> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const alive = pids.filter((pid) => parentOf(pid) !== null);
    if (alive.length === 0 || Date.now() > deadline) return alive;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
