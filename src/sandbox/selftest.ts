/** The start-up self-test: a few attacks against a fresh worker. A tier that lets one through is not used. */
import { mkdtemp, readdir, rm, writeFile, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultLimits, resolveLimits } from "./limits.ts";
import type { ConfinedTier } from "./types.ts";
import type { Worker } from "./worker.ts";

/** 2x1 PNG: one red, one blue pixel. */
const IMAGE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR4nGP4zwAE/wEHAAH/4iOeWQAAAABJRU5ErkJggg==",
  "base64",
);

// Each of these is harmless where it succeeds: nothing is touched, filled, killed or left running.
const attackSource = (canary: string, tier: ConfinedTier): string => `
import mmap, os, socket
def attempt(name, attack):
    try:
        attack()
    except (OSError, MemoryError):
        return
    print("broken:", name)
def fork():
    for _ in range(64):
        if os.fork() == 0:
            os._exit(0)
attempt("read /etc/passwd", lambda: open("/etc/passwd").read())
attempt("read a file of the host", lambda: open(${JSON.stringify(`${canary}/secret`)}).read())
attempt("list a folder of the host", lambda: os.listdir(${JSON.stringify(canary)}))
attempt("write outside", lambda: open(${JSON.stringify(`${canary}/planted`)}, "w"))
attempt("list processes", lambda: os.listdir("/proc/1"))
attempt("open a socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("open a unix socket", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt("start processes", fork)
attempt("signal the parent", lambda: os.kill(os.getppid(), 0))
attempt("run a program", lambda: os.execv("/bin/sh", ["sh", "-c", "exit 0"]))
${tier === "landlock" ? 'attempt("list the root folder", lambda: os.listdir("/"))' : ""}
${tier === "seatbelt" ? "" : 'attempt("map more memory than allowed", lambda: mmap.mmap(-1, 1 << 32))'}
import cv2
cv2.imwrite("out.png", cv2.rotate(cv2.imread("path_to_input_image.jpg"), cv2.ROTATE_180))
os.rename("out.png", "path_to_output_image.jpg")
print("done")
`;

/** Why this worker must not be used, or null when every attack failed and honest work succeeded. */
export async function selfTest(worker: Worker, tier: ConfinedTier): Promise<string | null> {
  const canary = await mkdtemp(join(tmpdir(), "varft-canary-"));
  try {
    await writeFile(join(canary, "secret"), "canary\n");
    await chmod(canary, 0o777);
    const limits = resolveLimits(defaultLimits);
    const attacks = await worker.run({ source: attackSource(canary, tier), image: IMAGE }, limits, limits.timeoutMs);
    if (attacks.status !== "ok" || attacks.stdout !== "done\n") {
      return `self-test: ${attacks.status}: ${(attacks.stdout + attacks.stderr).trim().slice(0, 500)}`;
    }
    const { output } = attacks;
    if (output.kind !== "image") return `self-test: expected an output image, got ${JSON.stringify(output)}`;
    const pixels = [...output.rgb].join(",");
    if (pixels !== "0,0,255,255,0,0") return `self-test: expected pixels 0,0,255,255,0,0, got ${pixels}`;
    if ((await readdir(canary)).includes("planted")) return "self-test: a file was written outside the working folder";
    const endless = await worker.run(
      { source: "while True: pass", image: IMAGE },
      { ...limits, timeoutMs: 100 },
      limits.timeoutMs,
    );
    if (endless.status !== "timeout") return `self-test: an endless loop ended as ${endless.status}`;
    if (tier !== "seatbelt") return null;
    // Memory is measured there, not refused: only filling it shows that the measuring works.
    const greedy = { source: "held = b'x' * (1 << 29)\nwhile True: pass", image: IMAGE };
    const { status } = await worker.run(greedy, { ...limits, memoryMb: 64 }, limits.timeoutMs);
    return status === "killed" ? null : `self-test: 512 MB of memory under a limit of 64 ended as ${status}`;
  } finally {
    await rm(canary, { recursive: true, force: true });
  }
}

/** Whether a snippet can ask if a path of the host exists; no content is at stake, so no tier is refused for it. */
export async function seesHostPaths(worker: Worker): Promise<boolean> {
  const limits = resolveLimits(defaultLimits);
  const source = `import os; print(os.path.lexists(${JSON.stringify(import.meta.dirname)}))`;
  const { status, stdout } = await worker.run({ source, image: IMAGE }, limits, limits.timeoutMs);
  return status !== "ok" || stdout !== "False\n";
}
