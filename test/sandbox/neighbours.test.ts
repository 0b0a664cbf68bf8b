/** Two snippets at once in one pool: neither finds, reads, fills, locks, wakes or signals what is the other's. */
import { describe, expect, test } from "vitest";
import { openSandbox } from "../../src/sandbox/index.ts";
import type { SnippetOutcome } from "../../src/sandbox/types.ts";
import { attempt } from "./attacks/attack.ts";
import { inputPng, tiers } from "./support.ts";

const FORCED = new Set(["bubblewrap", "namespaces", "landlock"]);

/** Waits for its neighbour with a file, locks and memory that the other would like; tells whether they are still its own. */
const resident = `
import fcntl, mmap, numpy, os, time
open("left", "w").write("resident"); os.umask(0); os.mkdir("open", 0o777); open("open/left", "w").write("resident")
try: open("/tmp/left", "w").write("resident")
except OSError: pass
shared = open(numpy.__file__); fcntl.flock(shared, fcntl.LOCK_EX); fcntl.lockf(shared, fcntl.LOCK_SH)
time.sleep(0.6)
print(sorted(os.listdir(".")), open("left").read(), open("open/left").read())`;

const visitor = (others: string[], pids: number[]): string => `${attempt}
import ctypes, fcntl, glob, numpy, time
time.sleep(0.2)
here = os.getcwd()
if os.listdir(".") != ["path_to_input_image.jpg"] or glob.glob("/tmp/left"): print("LEAK not alone", os.listdir("."), glob.glob("/tmp/*"))
for other in [path for path in ${JSON.stringify(others)} if path != here]:
    for name in ("left", "open/left", "path_to_input_image.jpg"):
        attempt("read " + name, lambda: open(f"{other}/{name}").read()); attempt("write " + name, lambda: open(f"{other}/{name}", "a"))
        attempt("link " + name, lambda: os.link(f"{other}/{name}", "mine")); attempt("move " + name, lambda: os.rename(f"{other}/{name}", "mine"))
    attempt("list", lambda: os.listdir(other)); attempt("list what is open", lambda: os.listdir(other + "/open")); attempt("go there", lambda: os.listdir(os.chdir(other) or "."))
    attempt("fill", lambda: open(other + "/planted", "w")); attempt("remove", lambda: os.rename(other, other + "2"))
for pid in [number for number in ${JSON.stringify(pids)} if number != os.getpid()]:
    attempt("signal", lambda: os.kill(pid, 0)); attempt("clock", lambda: time.clock_gettime(~pid << 3 | 2)); attempt("memory", lambda: open(f"/proc/{pid}/mem"))
other = open(numpy.__file__)
try: fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: print("LEAK the neighbour's lock is felt")
os.chdir(here)`;

describe.each(tiers.filter(({ tier }) => FORCED.has(tier)))("tier $tier", ({ tier, available }) => {
  test.skipIf(!available)("two snippets at once are alone", async () => {
    const sandbox = await openSandbox({ tier, workers: 2 });
    const both = (...sources: string[]): Promise<SnippetOutcome[]> =>
      Promise.all(sources.map((source) => sandbox.run({ source, image: inputPng })));
    try {
      const tell = "import os, time; time.sleep(0.2); print(os.getcwd(), os.getpid())";
      const told = (await both(tell, tell)).map(({ stdout }) => stdout.trim().split(" "));
      const pids = told.map(([, pid]) => Number(pid)).flatMap((pid) => [pid, pid + 1, pid + 2, pid + 3, pid + 4]);
      const [stayed, came] = await both(
        resident,
        visitor(
          told.map(([path]) => path ?? ""),
          pids,
        ),
      );
      expect(came).toMatchObject({ status: "ok", stderr: "" });
      expect(came?.stdout).not.toContain("LEAK");
      expect(stayed).toMatchObject({
        status: "ok",
        stdout: "['left', 'open', 'path_to_input_image.jpg'] resident resident\n",
      });
    } finally {
      await sandbox.close();
    }
  });
});
