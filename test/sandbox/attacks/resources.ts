/** Hostile snippets that take processes, time, memory or disk. */
import { type Attack, attempt, raw } from "./attack.ts";

export const resources: Attack[] = [
  {
    name: "fork bomb",
    source: () => "import os\nwhile True: os.fork()",
    status: ["exception"],
    exception: "PermissionError",
  },
  {
    name: "fork bomb by raw calls",
    source: () => `${raw}
raw("vfork/clone", 58, 220, 17)
raw("fork", 57, 220, 17)
raw("clone", 56, 220, 17, 0, 0, 0, 0)
raw("clone3", 435, 435, 0, 0)
raw("execve", 59, 221, 0, 0, 0)
raw("execveat", 322, 281, -100, 0, 0, 0, 0)`,
    status: ["ok"],
  },
  {
    name: "thread bomb",
    source: () => `
import threading, time
threading.stack_size(65536)  # so that memory is not what stops them
threads = []
for _ in range(1000):
    thread = threading.Thread(target=time.sleep, args=(60,), daemon=True)
    thread.start()
    threads.append(thread)
print("LEAK", len(threads))`,
    status: ["exception"],
    exception: "can't start new thread",
  },
  {
    name: "daemon that outlives the snippet",
    source: (canary) => `
import os, subprocess, time
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1); open(${JSON.stringify(`${canary}/planted`)}, "w")
finally:
    subprocess.Popen(["sleep", "100"])`,
    status: ["exception"],
  },
  { name: "endless loop", source: () => "while True: pass", limits: { timeoutMs: 300 }, status: ["timeout"] },
  { name: "sleep", source: () => "import time; time.sleep(100)", limits: { timeoutMs: 300 }, status: ["timeout"] },
  {
    name: "ignored signals",
    source: () => `
import signal
for number in range(1, 32):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True:
    try: signal.pause()
    except BaseException: pass`,
    limits: { timeoutMs: 300 },
    status: ["timeout"],
  },
  {
    name: "big integer power",
    source: () => "print(len(str(9 ** 9 ** 9)))",
    limits: { timeoutMs: 300 },
    status: ["timeout"],
  },
  {
    name: "deep recursion",
    source: () =>
      "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n  def __repr__(self): return repr(self)\nrepr(A())\ndef f(): return f()\nf()",
    limits: { timeoutMs: 3000 },
    status: ["exception", "killed", "timeout"],
  },
  { name: "segmentation fault", source: () => "import ctypes; ctypes.string_at(0)", status: ["killed"] },
  { name: "abort", source: () => "import os; os.abort()", status: ["killed"] },
  {
    name: "memory bomb",
    source: () => "x = []\nwhile True: x.append(bytearray(1 << 24))",
    limits: { memoryMb: 128 },
    status: ["exception"],
    exception: "MemoryError",
  },
  { name: "memory at once", source: () => "bytearray(1 << 40)", status: ["exception"], exception: "MemoryError" },
  {
    name: "memory mapped and never touched",
    source: () => `${attempt}
import mmap
MAP_NORESERVE = 0x4000
for flags in (mmap.MAP_PRIVATE, mmap.MAP_SHARED, mmap.MAP_PRIVATE | MAP_NORESERVE):
    attempt(f"4 GB, flags {flags}", lambda: mmap.mmap(-1, 1 << 32, flags | mmap.MAP_ANONYMOUS))
import ctypes
libc = ctypes.CDLL(None); libc.sbrk.restype = ctypes.c_void_p
if libc.sbrk(ctypes.c_long(1 << 32)) != ctypes.c_void_p(-1).value: print("LEAK sbrk")
block = mmap.mmap(-1, 1 << 20)
attempt("mremap", lambda: block.resize(1 << 32))`,
    status: ["ok"],
  },
  {
    name: "memory across processes",
    source: () => `
import os
for _ in range(64):
    pid = os.fork()
    if pid == 0:
        x = bytearray(700 << 20)
        while True: pass
print("LEAK")`,
    status: ["exception"],
  },
  {
    name: "memory outside the address space",
    source: () => `${raw}
raw("memfd_create", 319, 279, 0, 0)
raw("memfd_secret", 447, 447, 0)
raw("shmget", 29, 194, 0, 1 << 30, 0o1600)
raw("msgget", 68, 186, 0, 0o1600)
raw("mq_open", 240, 180, 0, 66, 0, 0)
raw("mlockall", 151, 230, 3)
raw("notification pipe", 293, 59, 0, 0o200)`,
    status: ["ok"],
  },
  {
    name: "disk fill by one file",
    source: () => `f = open("a", "wb")\nwhile True: f.write(bytes(1 << 20))`,
    limits: { diskMb: 8 },
    status: ["exception", "killed"],
  },
  {
    name: "disk fill by many files",
    source: () => `
for i in range(10000):
    with open(str(i), "wb") as f: f.write(bytes(1 << 20))
print("LEAK")`,
    limits: { diskMb: 8 },
    status: ["exception", "killed"],
  },
  {
    name: "disk fill by deleted files",
    source: () => `
import os, time
files = []
for i in range(60):
    f = open("a", "wb", buffering=0); os.unlink("a")
    f.write(bytes(7 << 20)); files.append(f); time.sleep(0.01)
print("LEAK")`,
    limits: { diskMb: 8 },
    status: ["exception", "killed"],
  },
  {
    name: "disk fill in a folder that cannot be listed",
    source: () => `
import os, time
os.mkdir("hidden", 0o300)
for i in range(200):
    with open(f"hidden/{i}", "wb") as f: f.write(bytes(1 << 20))
    time.sleep(0.005)
print("LEAK")`,
    limits: { diskMb: 8 },
    status: ["exception", "killed"],
  },
  {
    name: "inode fill",
    source: () => `
for i in range(100000): open(str(i), "w").close()
print("LEAK")`,
    status: ["exception", "killed"],
  },
  {
    name: "endlessly deep folders",
    source: () => `
import os
for i in range(3000):
    os.mkdir("d" * 200); os.chdir("d" * 200)`,
    status: ["exception", "killed"], // killed: where the room is only looked at, that may be when all is over
  },
  {
    name: "reserved and sparse files",
    source: () => `${raw}
f = open("a", "wb")
if (error := attempt("fallocate", lambda: os.posix_fallocate(f.fileno(), 0, 1 << 40))) is None: print("LEAK")
attempt("O_TMPFILE", lambda: os.open(".", os.O_TMPFILE | os.O_RDWR))`,
    limits: { diskMb: 8 },
    status: ["ok", "exception", "killed"],
  },
];
