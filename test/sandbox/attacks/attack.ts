/**
 * What a hostile snippet is, and what it must come to. The suite runs every one at every tier, and an honest snippet after it.
 * A snippet that reaches something it must not prints a line `LEAK ...`; each try that failed as it should prints `held ...`.
 */
import { readFileSync } from "node:fs";
import { dropsUid } from "../../../src/sandbox/identity.ts";
import type { SandboxTier, SnippetLimits, SnippetOutcome } from "../../../src/sandbox/types.ts";

export interface Attack {
  name: string;
  /** `canary` is a folder of the host that anyone may read and write, holding `secret` and `secret.png`. */
  source: (canary: string) => string;
  limits?: Partial<SnippetLimits>;
  /** Statuses that are a defence. */
  status: SnippetOutcome["status"][];
  /** The output's kind, and for a refusal a part of its reason; "any" where both an image and a refusal are sound. Default: none. */
  output?: { kind: "none" | "refused" | "image" | "any"; reason?: string };
  /** Part of the exception's line. */
  exception?: string;
  /** Tiers that do not hold it, and why that is accepted; the suite checks that they really do not. */
  notHeld?: Partial<Record<SandboxTier, string>>;
}

/** Whether workers without namespaces get a root folder of their own here: CAP_SETGID, CAP_SETUID and CAP_SYS_CHROOT. */
export const ownRootFolder = dropsUid() && [6, 7, 18].every(hasCapability);

function hasCapability(number: number): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> BigInt(number)) & 1n) === 1n;
}

/** The start of a snippet that tries what must fail: `attempt(name, attack)` prints LEAK when it succeeds. */
export const attempt = `
import os, sys
def attempt(name, attack):
    try:
        result = attack()
    except (OSError, MemoryError, ValueError) as error:
        print("held", name)
        return error
    print("LEAK", name, repr(result)[:200])
`;

/** Calls by number through libc: what no Python-level guard would see. A number of -1: there is none on that architecture. */
export const raw = `${attempt}
import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
def raw(name, x86, aarch64, *arguments):
    number = aarch64 if arm else x86
    if number < 0: return
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(value) for value in arguments])
    if result == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS): print("held", name)
    else: print("LEAK", name, result, ctypes.get_errno())
`;

/** Where a snippet finds and leaves its images. */
export const input = "path_to_input_image.jpg";
export const output = "path_to_output_image.jpg";
