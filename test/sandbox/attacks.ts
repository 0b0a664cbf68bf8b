/**
 * Hostile snippets. Each says what it must come to; the suite runs every one at every tier, and an honest snippet after it.
 *
 * A snippet that reaches something it must not prints `LEAK`; `held` demands that it never does.
 */
import type { SnippetLimits, SnippetOutcome } from "../../src/sandbox/types.ts";

export interface Attack {
  name: string;
  /** `canary` is a folder of the host that anyone may read and write, holding `secret` and a link `self` to itself. */
  source: (canary: string) => string;
  limits?: Partial<SnippetLimits>;
  /** Statuses that are a defence. */
  status: SnippetOutcome["status"][];
  /** The output's kind, and for a refusal a part of its reason. Default: none. */
  output?: { kind: "none" | "refused"; reason?: string };
  /** Part of the exception's line. */
  exception?: string;
}

const attempt = `
import os, sys
def attempt(name, attack):
    try:
        result = attack()
    except (OSError, MemoryError, ValueError) as error:
        return error
    print("LEAK", name, repr(result)[:200])
`;

/** Calls by number through libc: what no Python-level guard would see. */
const raw = `${attempt}
import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
def raw(name, x86, aarch64, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(aarch64 if arm else x86), *[ctypes.c_long(value) for value in arguments])
    if result != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
        print("LEAK", name, result, ctypes.get_errno())
`;

const output = "path_to_output_image.jpg";

export const attacks: Attack[] = [
  // Processes and time
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
  // Memory and disk
  {
    name: "memory bomb",
    source: () => "x = []\nwhile True: x.append(bytearray(1 << 24))",
    limits: { memoryMb: 128 },
    status: ["exception"],
    exception: "MemoryError",
  },
  { name: "memory at once", source: () => "bytearray(1 << 40)", status: ["exception"], exception: "MemoryError" },
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
    os.mkdir("d" * 200); os.chdir("d" * 200)
print("LEAK")`,
    status: ["exception", "killed"],
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
  // Reading what is not the snippet's
  {
    name: "read the host's files",
    source: (canary) => `${attempt}
for path in ["/etc/passwd", "/etc/shadow", "/etc/hostname", "/root/.bashrc", "/proc/self/environ", "/proc/1/environ", "/proc/1/cmdline",
             "/proc/self/maps", "/proc/meminfo", "/proc/sys/kernel/core_pattern", "/sys/kernel/notes", "/dev/mem", "/dev/sda", "/dev/vda",
             "/dev/kmsg", "/dev/ptmx", "/dev/tty", "/dev/shm/x", "/var/log/dpkg.log", ${JSON.stringify(`${canary}/secret`)}]:
    attempt(path, lambda: open(path, "rb").read(100))
for folder in ["/root", "/home", "/proc", "/proc/self/fd", "/var", "/run", "/dev/shm", ${JSON.stringify(canary)}]:
    attempt(folder, lambda: os.listdir(folder))
attempt("parent's memory", lambda: open(f"/proc/{os.getppid()}/mem", "rb"))
attempt("parent's pipes", lambda: [open(f"/proc/{os.getppid()}/fd/{i}", "wb") for i in range(64)])`,
    status: ["ok"],
  },
  {
    name: "write the host's files",
    source: (canary) => `${attempt}
for path in ["/etc/varft", "/tmp/../planted", "/usr/lib/planted", "/dev/shm/planted", "/proc/sys/kernel/core_pattern", ${JSON.stringify(`${canary}/planted`)}]:
    attempt(path, lambda: open(path, "w"))
attempt("truncate", lambda: os.truncate(${JSON.stringify(`${canary}/secret`)}, 0))
attempt("open to truncate", lambda: os.open(${JSON.stringify(`${canary}/secret`)}, os.O_RDONLY | os.O_TRUNC))
attempt("rename", lambda: os.rename(${JSON.stringify(`${canary}/secret`)}, "mine"))
attempt("unlink", lambda: os.unlink(${JSON.stringify(`${canary}/secret`)}))
attempt("link", lambda: os.link(${JSON.stringify(`${canary}/secret`)}, "mine"))
try: os.chmod(${JSON.stringify(`${canary}/secret`)}, 0o777)
except OSError: pass
try: os.utime(${JSON.stringify(`${canary}/secret`)}, (1, 1))
except OSError: pass
import cv2, numpy
for module in (cv2, numpy, os):
    attempt(module.__file__, lambda: open(module.__file__, "a"))
    attempt(module.__file__, lambda: open(os.path.dirname(module.__file__) + "/planted", "w"))`,
    status: ["ok"],
  },
  {
    name: "environment",
    source: () => `
import os
known = {"HOME", "LANG", "PATH", "LC_CTYPE"}
extra = [name for name in os.environ if name not in known and not name.endswith("_NUM_THREADS")]
if extra: print("LEAK", extra)
import gc, sys
if any(name.startswith("varft_sandbox") for name in sys.modules): print("LEAK module")`,
    status: ["ok"],
  },
  // Network
  {
    name: "network of every family",
    source: () => `${attempt}
import socket
for family in range(0, 47):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        attempt(f"family {family} kind {kind}", lambda: socket.socket(family, kind))
attempt("socketpair", lambda: socket.socketpair())
import urllib.request
attempt("http", lambda: urllib.request.urlopen("http://127.0.0.1:80", timeout=1))`,
    status: ["ok"],
  },
  // Kernel interfaces
  {
    name: "privileged and obscure system calls",
    source: () => `${raw}
for name, x86, aarch64, arguments in [
    ("ptrace", 101, 117, (0, 0, 0, 0)), ("ptrace attach", 101, 117, (16, os.getppid(), 0, 0)), ("unshare", 272, 97, (0x10000000,)),
    ("setns", 308, 268, (0, 0)), ("mount", 165, 40, (0, 0, 0, 0, 0)), ("umount2", 166, 39, (0, 0)), ("pivot_root", 155, 41, (0, 0)),
    ("chroot", 161, 51, (0,)), ("open_tree", 428, 428, (-100, 0, 0)), ("move_mount", 429, 429, (0, 0, 0, 0, 0)),
    ("fsopen", 430, 430, (0, 0)), ("mount_setattr", 442, 442, (0, 0, 0, 0, 0)), ("keyctl", 250, 219, (0, -3, 0, 0, 0)),
    ("add_key", 248, 217, (0, 0, 0, 0, 0)), ("request_key", 249, 218, (0, 0, 0, 0)), ("io_uring_setup", 425, 425, (8, 0)),
    ("io_uring_enter", 426, 426, (0, 0, 0, 0, 0, 0)), ("bpf", 321, 280, (0, 0, 0)), ("perf_event_open", 298, 241, (0, 0, 0, 0, 0)),
    ("userfaultfd", 323, 282, (0,)), ("process_vm_readv", 310, 270, (os.getppid(), 0, 0, 0, 0, 0)),
    ("process_vm_writev", 311, 271, (os.getppid(), 0, 0, 0, 0, 0)), ("kcmp", 312, 272, (1, 1, 0, 0, 0)),
    ("pidfd_open", 434, 434, (os.getppid(), 0)), ("pidfd_getfd", 438, 438, (0, 0, 0)), ("personality", 135, 92, (0xFFFFFFFF,)),
    ("init_module", 175, 105, (0, 0, 0)), ("kexec_load", 246, 104, (0, 0, 0, 0)), ("reboot", 169, 142, (0, 0, 0, 0)),
    ("swapon", 167, 224, (0, 0)), ("acct", 163, 89, (0,)), ("quotactl", 179, 60, (0, 0, 0, 0)), ("syslog", 103, 116, (3, 0, 0)),
    ("name_to_handle_at", 303, 264, (0, 0, 0, 0, 0)), ("open_by_handle_at", 304, 265, (0, 0, 0)), ("fanotify_init", 300, 262, (0, 0)),
    ("inotify_init1", 294, 26, (0,)), ("setuid", 105, 146, (0,)), ("setresuid", 117, 147, (0, 0, 0)), ("setgroups", 116, 159, (0, 0)),
    ("capset", 126, 91, (0, 0)), ("seccomp", 317, 277, (0, 0, 0)), ("prctl dumpable", 157, 167, (4, 1, 0, 0, 0)),
    ("prctl death signal", 157, 167, (1, 0, 0, 0, 0)), ("prctl subreaper", 157, 167, (36, 1, 0, 0, 0)),
    ("setpriority", 141, 140, (0, os.getppid(), 19)), ("sched_setaffinity", 203, 122, (os.getppid(), 8, 0)),
    ("prlimit of another", 302, 261, (os.getppid() or 2, 7, 0, 0)), ("setsid", 112, 157, ()), ("splice", 275, 76, (0, 0, 0, 0, 0, 0)),
    ("vmsplice", 278, 75, (1, 0, 0, 0)), ("landlock", 444, 444, (0, 0, 1)), ("quotactl_fd", 443, 443, (0, 0, 0, 0)),
    ("a call that does not exist", 1000, 1000, ()),
]:
    raw(name, x86, aarch64, *arguments)`,
    status: ["ok"],
  },
  {
    name: "signals to others",
    source: () => `${attempt}
import fcntl, signal
for pid in (os.getppid(), -1, 1, 2, 3, 0):
    attempt(f"kill {pid}", lambda: os.kill(pid, 9))
attempt("killpg", lambda: os.killpg(os.getpgrp(), 9))
read_end, write_end = os.pipe()
for command in (8, 10, 15, 1024, 1026):
    attempt(f"fcntl {command}", lambda: fcntl.fcntl(read_end, command, 0))
attempt("ioctl", lambda: fcntl.ioctl(read_end, 0x5412, b"x"))`,
    status: ["ok"],
  },
  {
    name: "calls through the 32-bit gate",
    source: () => `
import ctypes, mmap, platform, os
if platform.machine() != "x86_64": os.abort()
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20; int 0x80; ret
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
print("LEAK", ctypes.CFUNCTYPE(ctypes.c_int)(address)())`,
    status: ["killed"],
  },
  {
    name: "x32 calls",
    source: () => `
import ctypes, platform, os
if platform.machine() != "x86_64": os.abort()
print("LEAK", ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39)))`,
    status: ["killed"],
  },
  // Pipes
  {
    name: "huge stdout",
    source: () => "import sys\nfor _ in range(2000): sys.stdout.write('x' * 100000)\nprint('LEAK')",
    status: ["ok"],
  },
  {
    name: "forged response",
    source: () => `
import json, os, struct
header = json.dumps({"id": 1, "status": "ok", "exception": None, "truncated": False, "durationMs": 1, "output": {"kind": "none"},
                     "stdoutBytes": 4, "stderrBytes": 0, "rgbBytes": 0}).encode()
frame = struct.pack("<I", len(header)) + header + b"LEAK"
for descriptor in range(3, 1024):
    try: os.write(descriptor, frame)
    except OSError: pass
for descriptor in range(3, 1024):
    try: os.close(descriptor)
    except OSError: pass
raise SystemExit(3)`,
    status: ["exception"],
  },
  {
    name: "closed streams",
    source: () => "import os\nfor i in range(1024):\n  try: os.close(i)\n  except OSError: pass\nprint(1)",
    status: ["ok", "exception"],
  },
  // The output file
  {
    name: "symlink as output",
    source: (canary) => `import os; os.symlink(${JSON.stringify(`${canary}/secret.png`)}, "${output}")`,
    status: ["ok"],
    output: { kind: "refused" },
  },
  {
    name: "FIFO as output",
    source: () => `import os; os.mkfifo("${output}")`,
    status: ["ok"],
    output: { kind: "refused", reason: "regular" },
  },
  {
    name: "folder as output",
    source: () => `import os; os.mkdir("${output}")`,
    status: ["ok"],
    output: { kind: "refused", reason: "regular" },
  },
  {
    name: "device as output",
    source: () => `import os; os.mknod("${output}", 0o20666, os.makedev(1, 5))`,
    status: ["exception"],
  },
  {
    name: "device link as output",
    source: () => `import os; os.symlink("/dev/zero", "${output}")`,
    status: ["ok"],
    output: { kind: "refused" },
  },
  {
    name: "text as output",
    source: () => `open("${output}", "w").write("hello")`,
    status: ["ok"],
    output: { kind: "refused", reason: "not an image" },
  },
  {
    name: "empty output",
    source: () => `open("${output}", "w")`,
    status: ["ok"],
    output: { kind: "refused", reason: "empty" },
  },
  {
    name: "output over the pixel cap",
    source: () => `from PIL import Image; Image.new("L", (101, 100)).save("${output}", "PNG")`,
    limits: { imagePixels: 10_000 },
    status: ["ok"],
    output: { kind: "refused", reason: "pixels" },
  },
  {
    name: "decompression bomb as output",
    source: () => `
import struct, zlib
def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
header = struct.pack(">IIBBBBB", 60000, 60000, 8, 6, 0, 0, 0)
with open("${output}", "wb") as file:
    file.write(b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1 << 24))) + chunk(b"IEND", b""))`,
    status: ["ok"],
    output: { kind: "refused", reason: "pixels" },
  },
  {
    name: "truncated image as output",
    source: () => `
data = open("path_to_input_image.jpg", "rb").read()
open("${output}", "wb").write(data[:len(data) // 2])`,
    status: ["ok"],
    output: { kind: "refused", reason: "cannot be decoded" },
  },
  {
    name: "program as output format",
    source: () => `open("${output}", "wb").write(b"%!PS-Adobe-3.0 EPSF-3.0\\n%%BoundingBox: 0 0 10 10\\n")`,
    status: ["ok"],
    output: { kind: "refused", reason: "not an image" },
  },
  // The next snippet
  { name: "deleted input", source: () => `import os; os.unlink("path_to_input_image.jpg")`, status: ["ok"] },
  {
    name: "poisoned modules",
    source: () => `
import builtins, sys, os, cv2, numpy, random
from PIL import Image
cv2.imread = cv2.imwrite = cv2.rotate = numpy.array = Image.open = None
numpy.ndarray.__module__ = None if False else "x"
for name in list(sys.modules): sys.modules[name] = None
builtins.open = builtins.print = builtins.__import__ = None
os.environ["X"] = "1"`,
    status: ["ok", "exception"],
  },
  {
    name: "poisoned reporting",
    source: () =>
      "import traceback, sys\ntraceback.TracebackException = sys.stderr = None\nclass E(Exception):\n  def __str__(self): raise self\nraise E",
    status: ["exception"],
  },
];
