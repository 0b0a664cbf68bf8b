/** Under which uid a root host runs its workers: never root, and never one that owns anything. */
import { readFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import { SandboxError } from "../core/errors.ts";

const RANGE = { low: 61_200, high: 65_500 };
const NOBODY = 65_534;
const taken = new Set<number>();

export const isRoot = process.getuid?.() === 0;

/**
 * A uid (and gid) of its own for one worker, so that workers cannot signal each other and the process limit counts one worker
 * only; undefined when the host is not root. Falls back on nobody in a container that maps no others.
 */
export function workerUid(): number | undefined {
  if (!isRoot) return undefined;
  const known = new Set(
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => Number(line.split(":")[2])),
  );
  for (let attempt = 0; attempt < 64; attempt++) {
    const uid = randomInt(RANGE.low, RANGE.high);
    if (isMapped(uid) && !known.has(uid) && !taken.has(uid)) {
      taken.add(uid);
      return uid;
    }
  }
  if (isMapped(NOBODY)) return NOBODY;
  throw new SandboxError("sandbox.no_uid", "running as root, and this container maps no other uid to drop to", {
    hint: "Run as an ordinary user, or start the container with more than one uid mapped.",
  });
}

export function releaseUid(uid: number | undefined): void {
  if (uid !== undefined) taken.delete(uid);
}

function isMapped(uid: number): boolean {
  return readFileSync("/proc/self/uid_map", "utf8")
    .trim()
    .split("\n")
    .some((line) => {
      const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
      return uid >= inside && uid < inside + count;
    });
}
