/** Hostile snippets that wear something out or feel their way to others by it: locks, waits, clocks, mappings, slow single calls. */
import { type Attack, attempt, raw } from "./attack.ts";

export const exhaustion: Attack[] = [
  {
    name: "disk fill by a thread with descriptors of its own",
    source: () => `
import ctypes, os, threading, time
def fill():
    ctypes.CDLL(None).syscall(ctypes.c_long(436), ctypes.c_long(60), ctypes.c_long(63), ctypes.c_long(2))  # close_range, UNSHARE
    files = []
    for i in range(12):
        files.append(os.open("a", os.O_CREAT | os.O_RDWR)); os.unlink("a"); os.write(files[-1], bytes(7 << 20)); time.sleep(0.03)
    os.write(1, b"LEAK 84 MB\\n")
try: thread = threading.Thread(target=fill); thread.start()
except RuntimeError: raise SystemExit(1) # an ordinary user's other processes count at tier landlock
thread.join()`,
    limits: { diskMb: 8 },
    status: ["ok", "exception", "killed"], // a full file system fails the thread, not the snippet
  },
  {
    name: "disk fill by a thread after the main one left",
    source: () => `
import ctypes, os, platform, threading, time
def fill():
    time.sleep(0.05)
    files = []
    for i in range(12):
        files.append(os.open("a", os.O_CREAT | os.O_RDWR)); os.unlink("a"); os.write(files[-1], bytes(7 << 20)); time.sleep(0.03)
    os.write(1, b"LEAK 84 MB\\n"); os._exit(0)
try: threading.Thread(target=fill).start()
except RuntimeError: raise SystemExit(1) # an ordinary user's other processes count at tier landlock
ctypes.CDLL(None).syscall(ctypes.c_long(93 if platform.machine() == "aarch64" else 60), 0)`,
    limits: { diskMb: 8 },
    status: ["ok", "exception", "killed"],
  },
  {
    name: "disk fill below folders that are never where they were",
    source: () => `
import ctypes, os, threading, time
for i in range(300): os.mkdir("a"); os.chdir("a")
deep, folders, rename = os.open(".", os.O_RDONLY), [], ctypes.CDLL(None).renameat
for i in range(300):
    os.chdir("..")
    if i % 6 == 0: folders.append(os.open(".", os.O_RDONLY))
def move(some):
    while True:
        for folder in some: rename(folder, b"a", folder, b"b")
        for folder in some: rename(folder, b"b", folder, b"a")
try:
    for i in range(3): threading.Thread(target=move, args=(folders[i::3],), daemon=True).start()
except RuntimeError: pass
for i in range(15):
    time.sleep(0.03)
    file = os.open(str(i), os.O_CREAT | os.O_WRONLY, dir_fd=deep); os.write(file, bytes(7 << 20)); os.close(file)
os.write(1, b"LEAK 105 MB\\n"); os._exit(0)`,
    limits: { diskMb: 8 },
    status: ["exception", "killed"],
  },
  {
    name: "threads that share less than threads do",
    source: () => `${raw}
for missing in (0x400, 0x200): raw(f"clone without {missing:#x}", 56, 220, 0x003d0f00 & ~missing, 0, 0, 0, 0)
for flags in (2, 6): raw(f"close_range {flags}", 436, 436, 50, 60, flags)`,
    status: ["ok"],
  },
  {
    name: "what other processes tell by their numbers",
    source: () => `${raw}
import time
for pid in {1, 2, 3, os.getppid() or 4, os.getpid() - 1 or 4, os.getpid() + 1}:
    if pid == os.getpid(): continue
    attempt(f"getpgid {pid}", lambda: os.getpgid(pid)); attempt(f"getsid {pid}", lambda: os.getsid(pid))
    attempt(f"getpriority {pid}", lambda: os.getpriority(os.PRIO_PROCESS, pid)); attempt(f"scheduler {pid}", lambda: os.sched_getscheduler(pid))
    attempt(f"affinity {pid}", lambda: os.sched_getaffinity(pid))
    for kind in range(8): attempt(f"clock {kind} of {pid}", lambda: time.clock_gettime(~pid << 3 | kind))
    for operation in (6, 8, 13, 0x86): raw(f"futex {operation} of {pid}", 202, 98, ctypes.addressof(ctypes.c_uint32(pid)), operation, 0, 0, 0, 0)`,
    status: ["ok"],
  },
  {
    name: "where the host's links lead",
    source: () => `${attempt}
for path in ("/etc/localtime", "/etc/mtab", "/proc/self", "/proc/self/exe", "/proc/self/cwd", "/proc/self/fd/1", "/proc/self/ns/net", "/proc/1/exe", "/usr/bin/awk", "/dev/stdin"):
    attempt(path, lambda: os.readlink(path))`,
    status: ["ok"],
  },
  {
    name: "locks that others would feel",
    source: () => `${attempt}
import fcntl, numpy, struct
shared = open(numpy.__file__)
for lock in (lambda: fcntl.flock(shared, fcntl.LOCK_EX | fcntl.LOCK_NB), lambda: fcntl.lockf(shared, fcntl.LOCK_SH | fcntl.LOCK_NB)):
    try: lock()
    except OSError: pass
other = open(numpy.__file__)
try: fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB); print("held: nobody has it")
except BlockingIOError: print("LEAK the lock is one of the host's")
for command in (5, 36): attempt(f"ask who locks {command}", lambda: fcntl.fcntl(other, command, struct.pack("hhqqi4x", 1, 0, 0, 0, 0)))
own = open("own", "w+b")
for at in range(20000): fcntl.lockf(own, fcntl.LOCK_EX, 1, 2 * at)`,
    status: ["ok"],
  },
  {
    name: "wakes on a page that others map",
    source: () => `${raw}
import mmap, numpy
with open(numpy.__file__, "rb") as file: page = mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ)
address = numpy.frombuffer(page, numpy.uint8).ctypes.data
for operation in (1, 3, 4, 5, 10): raw(f"futex {operation}", 202, 98, address, operation, 100, 0, 0, 0)
raw("futex_waitv", 449, 449, 0, 0, 0, 0, 0); raw("futex_wake", 454, 454, address, 1, 1, 2); raw("membarrier", 324, 283, 1, 0, 0)`,
    status: ["ok"],
  },
  {
    name: "pages and disks that others use",
    source: () => `${attempt}
import ctypes, mmap, numpy
libc = ctypes.CDLL(None, use_errno=True)
attempt("huge pages", lambda: mmap.mmap(-1, 1 << 21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000))
block = mmap.mmap(-1, 1 << 20)
for advice in (12, 20, 21, 100, 101): attempt(f"madvise {advice}", lambda: block.madvise(advice) or True)
for flag in (os.O_SYNC, os.O_DSYNC): attempt(f"open {flag:#o}", lambda: os.open("own", os.O_CREAT | os.O_WRONLY | flag))
attempt("pwritev2", lambda: os.pwritev(os.open("own", os.O_CREAT | os.O_WRONLY), [b"x"], 0, 2))
for name, arguments in (("syncfs", (1,)), ("sync_file_range", (1, 0, 0, 7)), ("readahead", (1, 0, 9)), ("mincore", (0, 4096, 0)), ("mlock", (0, 4096))):
    if getattr(libc, name)(*[ctypes.c_long(a) for a in arguments]) != -1: print("LEAK", name)
if libc.mmap(None, ctypes.c_size_t(4096), 3, 0x2022, -1, ctypes.c_long(0)) != -1: print("LEAK locked page")`,
    status: ["ok"],
  },
  {
    name: "every call that is newer than the filter",
    source: () => `${raw}
for number in [*range(424, 620), 1 << 20]:
    if number not in (436, 439, 452): raw(f"call {number}", number, number, 0, 0, 0, 0, 0, 0)`,
    status: ["ok"],
  },
  {
    name: "a call that no filter sees",
    source: () => `
import ctypes, os, platform
if platform.machine() != "x86_64": os.abort()
ctypes.CDLL(None).syscall(ctypes.c_long(336), 0)
ctypes.CDLL(None).syscall(ctypes.c_long(335), 0)  # uretprobe: meant for the kernel's own page
os.abort()`,
    status: ["killed"],
  },
  {
    name: "a crash for the host's crash reporter",
    source: () => `
import ctypes, os, resource
soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
if hard != 1: print("LEAK", hard)  # 0 would still be piped to a program
resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
ctypes.string_at(0)`,
    status: ["killed"],
  },
  {
    name: "sixty thousand mappings, and files meanwhile",
    source: () => `
import ctypes, os
libc = ctypes.CDLL(None); libc.mmap.restype = ctypes.c_void_p
start = libc.mmap(None, ctypes.c_size_t(70000 << 12), 1, 0x22, -1, ctypes.c_long(0))
for page in range(0, 70000, 2):
    if libc.mprotect(ctypes.c_void_p(start + (page << 12)), ctypes.c_size_t(4096), 3): break
files = []
for i in range(60):
    files.append(os.open("a", os.O_CREAT | os.O_RDWR)); os.unlink("a"); os.write(files[-1], bytes(7 << 20))
print("LEAK", 7 * len(files))`,
    limits: { diskMb: 8 },
    status: ["exception", "killed"],
  },
  {
    name: "a regular expression without end",
    source: () => `import re; re.match("(a+)+$", "a" * 60 + "b")`,
    limits: { timeoutMs: 200 },
    status: ["timeout"],
  },
  {
    name: "a call into C without end",
    source: () => `import hashlib; hashlib.pbkdf2_hmac("sha512", b"x", b"y", (1 << 31) - 1)`,
    limits: { timeoutMs: 200 },
    status: ["timeout"],
  },
  {
    name: "a stack that ends in C",
    source: () => `
import ctypes
kind = ctypes.CFUNCTYPE(ctypes.c_int)
deeper = kind(lambda: deeper())
import sys; sys.setrecursionlimit(1 << 30)
try: compile("-" * (1 << 20) + "1", "x", "eval")
except (RecursionError, MemoryError): pass
deeper()`,
    limits: { timeoutMs: 3000 },
    status: ["killed", "exception", "timeout"],
  },
];
