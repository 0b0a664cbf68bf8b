/**
 * What a hostile snippet is, and what it must come to. The suite runs every one at every tier, and an honest snippet after it.
 * A snippet that reaches something it must not prints `LEAK`.
 */
import type { SnippetLimits, SnippetOutcome } from "../../../src/sandbox/types.ts";

export interface Attack {
  name: string;
  /** `canary` is a folder of the host that anyone may read and write, holding `secret`. */
  source: (canary: string) => string;
  limits?: Partial<SnippetLimits>;
  /** Statuses that are a defence. */
  status: SnippetOutcome["status"][];
  /** The output's kind, and for a refusal a part of its reason. Default: none. */
  output?: { kind: "none" | "refused"; reason?: string };
  /** Part of the exception's line. */
  exception?: string;
}

/** The start of a snippet that tries what must fail: `attempt(name, attack)` prints LEAK when it succeeds. */
export const attempt = `
import os, sys
def attempt(name, attack):
    try:
        result = attack()
    except (OSError, MemoryError, ValueError) as error:
        return error
    print("LEAK", name, repr(result)[:200])
`;

/** Calls by number through libc: what no Python-level guard would see. */
export const raw = `${attempt}
import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
def raw(name, x86, aarch64, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(aarch64 if arm else x86), *[ctypes.c_long(value) for value in arguments])
    if result != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
        print("LEAK", name, result, ctypes.get_errno())
`;

/** Where a snippet leaves its image. */
export const output = "path_to_output_image.jpg";
