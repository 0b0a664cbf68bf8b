/** Hostile snippets that play with files: their own folder, its neighbours, links, names, and what removal must cope with. */
import { type Attack, attempt, input, output, ownRootFolder, raw } from "./attack.ts";

export const files: Attack[] = [
  {
    name: "the kernel's and the machine's files",
    source: () => `${attempt}
for path in ["/proc/self/maps", "/proc/self/mem", "/proc/thread-self/environ", "/proc/1/environ", "/proc/1/maps", "/proc/1/root/etc/passwd",
             "/proc/kallsyms", "/proc/kcore", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/net/tcp",
             "/proc/mounts", "/proc/cpuinfo", "/proc/version", "/proc/cmdline", "/proc/keys", "/sys/kernel/debug", "/sys/class/net/lo/address",
             "/sys/fs/cgroup/cgroup.procs", "/run/docker.sock", "/var/run/docker.sock", "/run/secrets", "/dev/nvidia0", "/dev/nvidiactl",
             "/dev/dri/card0", "/dev/kvm", "/dev/fuse", "/dev/net/tun", "/dev/mapper/control", "/dev/loop-control", "/dev/hwrng", "/dev/console",
             "/dev/pts/0", "/etc/machine-id", "/etc/resolv.conf", "/etc/ssl/openssl.cnf", "/.dockerenv", "/boot"]:
    for name, mode in (("read", os.O_RDONLY), ("write", os.O_WRONLY)):
        attempt(f"{name} {path}", lambda: os.open(path, mode | os.O_NONBLOCK))
for folder in ["/sys", "/run", "/run/user", "/dev/shm", "/dev/mqueue", "/dev/pts", "/mnt", "/media", "/opt", "/srv", "/boot", "/var/tmp", "/etc", "/usr/bin", "/bin", "/home"]:
    # A jail shows /etc, with the dynamic loader's cache as all there is.
    attempt(f"list {folder}", lambda: [name for name in os.listdir(folder) if name != "ld.so.cache"] or os.listdir("/nonexistent"))
    attempt(f"make a file in {folder}", lambda: os.open(f"{folder}/varft-planted", os.O_CREAT | os.O_WRONLY))`,
    status: ["ok"],
  },
  {
    name: "devices that are shown can be written to no effect only",
    source: () => `${attempt}
for path in ("/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/null"):
    attempt(f"unlink {path}", lambda: os.unlink(path))
    attempt(f"rename {path}", lambda: os.rename(path, path + "2"))
    attempt(f"replace {path}", lambda: os.rename("${input}", path))`,
    status: ["ok"],
  },
  {
    name: "paths that lead out",
    source: (canary) => `${attempt}
secret = ${JSON.stringify(`${canary}/secret`)}
here = os.getcwd()
for path in ("../" * 40 + secret, "./../.." + secret, "//" + secret, "/tmp/../" + secret, "/proc/self/root" + secret, "/proc/self/cwd/../" + secret, "/dev/fd/../.." + secret):
    attempt("read " + path[:60], lambda: open(path).read())
os.symlink(secret, "link"); os.symlink("/", "root")
attempt("through a link", lambda: open("link").read())
attempt("through a link to the root", lambda: open("root" + secret).read())
attempt("write through a link", lambda: open("link", "a").write("x"))
for flags in (0, 0x1000, 0x400):
    attempt(f"hard link {flags}", lambda: os.link(secret, f"hard{flags}", follow_symlinks=bool(flags & 0x400)))
try: handle = os.open(secret, os.O_PATH)
except OSError: handle = None
if handle is not None:
    attempt("read a path handle", lambda: os.read(handle, 10))
    attempt("open a path handle again", lambda: os.open("", os.O_RDONLY, dir_fd=handle))
    attempt("open it through /proc", lambda: open(f"/proc/self/fd/{handle}").read())
    attempt("open it through /dev/fd", lambda: open(f"/dev/fd/{handle}").read())
import shutil
# In a jail this fills its own /tmp; the canary tells whether it went further.
try: shutil.copytree(here, ${JSON.stringify(`${canary}/planted`)}, symlinks=True); shutil.rmtree(${JSON.stringify(canary)})
except OSError: pass
attempt("move out", lambda: os.rename("${input}", ${JSON.stringify(`${canary}/planted`)}))
attempt("exchange", lambda: os.replace("${input}", secret))
attempt("truncate", lambda: os.truncate(secret, 0))
attempt("FIFO out there", lambda: os.mkfifo(${JSON.stringify(`${canary}/planted`)}))
attempt("folder out there", lambda: os.mkdir(${JSON.stringify(`${canary}/planted`)}))
attempt("link out there", lambda: os.symlink("x", ${JSON.stringify(`${canary}/planted`)}))`,
    status: ["ok"],
  },
  {
    name: "the working folder itself",
    source: () => `${attempt}
here = os.getcwd()
for name, attack in {
    "rename it": lambda: os.rename(here, here + "2"), "remove it": lambda: (os.unlink("${input}"), os.rmdir(here)),
    "a neighbour": lambda: open(here + "/../planted", "w"), "a folder beside": lambda: os.mkdir(here + "/../planted"),
    "a link beside": lambda: os.symlink("/", here + "/../planted"), "into the parent": lambda: os.rename("mine", here + "/../planted"),
    "list the parent": lambda: [name for name in os.listdir(here + "/../..") if "varft" in name] or os.listdir("/nonexistent"),
}.items():
    attempt(name, attack)
os.chdir("/")
try: os.chdir("/usr/lib")
except OSError: pass`,
    status: ["ok"],
  },
  {
    name: "names that break lines, paths and terminals",
    source: () => `
import os
for name in (b"a\\nb", b"\\x1b[2J\\x1b]0;owned\\x07", b"\\xff\\xfe", b"-rf", b"..  ", b"x" * 255, "\\u202e.jpg".encode(), b"$(touch planted)", b"\\r", b"'\\""):
    open(name, "w").close(); os.mkdir(name[:200] + b"folder")
try: open("y" * 4096, "w"); print("LEAK")
except OSError: pass`,
    status: ["ok"],
  },
  {
    name: "a tree that is hard to remove",
    source: () => `
import os
os.umask(0)
here = os.getcwd()
for i in range(60):
    os.mkdir("d" * 100, 0o700); os.chdir("d" * 100)
os.mkdir("closed", 0); os.chdir(here)
os.mkdir("locked", 0o700); open("locked/file", "w").close()
fd = os.open("no mode", os.O_CREAT | os.O_WRONLY, 0); os.close(fd)
os.symlink("loop", "loop"); os.symlink("..", "up"); os.symlink(here, "locked/again")
os.mkfifo("pipe")
try: os.mknod("socket", 0o140600)
except OSError: pass # Landlock refuses it, where the watch was not faster
for i in range(100): os.link("no mode", f"hard {i}")
os.unlink("${input}")`,
    status: ["ok", "killed"], // a folder that nobody may list cannot be watched
  },
  {
    name: "a sparse file beyond the limit",
    source: () => `${attempt}
f = open("${output}", "wb")
attempt("10 GB", lambda: f.truncate(10 << 30))
attempt("one byte at 10 GB", lambda: (f.seek(10 << 30), f.write(b"x"), f.flush()))
f = open("b", "wb")
attempt("pwrite", lambda: os.pwrite(f.fileno(), b"x", 1 << 40))
os.truncate("${output}", 0)`,
    limits: { diskMb: 8 },
    status: ["ok"],
    output: { kind: "refused", reason: "empty" },
  },
  {
    name: "disk fill through mappings of deleted files",
    source: () => `
import ctypes, os, time
libc, size = ctypes.CDLL(None), 7 << 20
for i in range(12):
    fd = os.open("a", os.O_CREAT | os.O_RDWR)
    os.write(fd, bytes(size))
    libc.mmap(None, ctypes.c_size_t(4096), 1, 1 + i % 2, fd, ctypes.c_long(0))  # keeps the file without a descriptor
    os.close(fd); os.unlink("a"); time.sleep(0.05)
print("LEAK", 12 * size)`,
    limits: { diskMb: 8 },
    status: ["exception", "killed"],
  },
  {
    name: "disk fill through writable mappings",
    source: () => `
import mmap, os, time
maps = []
for i in range(12):
    fd = os.open(str(i), os.O_CREAT | os.O_RDWR); os.ftruncate(fd, 7 << 20)
    m = mmap.mmap(fd, 7 << 20); os.close(fd); maps.append(m)
    m[:] = bytes(7 << 20); time.sleep(0.05)
print("LEAK")`,
    limits: { diskMb: 8 },
    status: ["exception", "killed"],
  },
  {
    name: "more in /tmp than it may hold",
    source: () => `
import os, tempfile
try: folder = tempfile.mkdtemp(dir="/tmp")
except OSError: raise SystemExit(1)
for i in range(100): open(f"{folder}/{i}", "wb").write(bytes(1 << 20))
print("LEAK")`,
    status: ["exception", "killed"],
  },
  {
    name: "a library or font replaced",
    source: () => `${attempt}
import cv2, numpy, PIL, encodings, site, sysconfig
for module in (cv2, numpy, PIL, encodings, os):
    folder = os.path.dirname(module.__file__)
    for name in ("sitecustomize.py", "__pycache__/x.pyc", "__init__.py", "varft-planted"):
        attempt(f"write {folder}/{name}", lambda: open(f"{folder}/{name}", "ab"))
    attempt(f"rename {folder}", lambda: os.rename(folder, folder + "2"))
    attempt(f"remove from {folder}", lambda: os.unlink(module.__file__))
for path in {*sys.path, *site.getsitepackages(), sysconfig.get_path("stdlib")}:
    if path.startswith("/"): attempt(f"plant in {path}", lambda: open(path + "/usercustomize.py", "w"))`,
    status: ["ok"],
  },
  {
    name: "what a host path tells by existing",
    source: (canary) => `${attempt}
secret = ${JSON.stringify(`${canary}/secret`)}
# Whatever a failed call tells apart counts too: a path of the host must be as absent as one that never was.
def told(call, path):
    try: call(path)
    except OSError as error: return error.errno
    return 0
calls = {
    "stat": os.stat, "lstat": os.lstat, "access": lambda p: os.access(p, os.F_OK) and os.stat(p), "statvfs": os.statvfs, "readlink": os.readlink,
    "open": lambda p: os.close(os.open(p, os.O_RDONLY)), "write": lambda p: os.close(os.open(p, os.O_WRONLY)),
    "path handle": lambda p: os.close(os.open(p, os.O_PATH)), "list": os.listdir, "enter": os.chdir, "through": lambda p: os.stat(p + "/x"),
    "mkdir": os.mkdir, "rmdir": os.rmdir, "unlink": os.unlink, "link": lambda p: os.link(p, "l"), "rename": lambda p: os.rename(p, "r"),
}
home = os.getcwd()
for start in ("", "../" * 40, "/.." * 40, "/dev/../.."):
    for name, call in calls.items():
        found = told(call, start + secret)
        if found == told(call, start + secret.replace("varft-test-", "varft-none-")): print("held", name)
        else: print("LEAK", name, start[:6], found)
        os.chdir(home)
for path in ("/etc/passwd", "/proc/self", "/sys", "/home", "/root", "/var", "/usr/bin"):
    if os.path.lexists(path) and not (path == "/etc" and os.listdir(path) == ["ld.so.cache"]): print("LEAK", path)`,
    status: ["ok"],
    notHeld: ownRootFolder
      ? {}
      : { landlock: "Landlock does not cover stat: that a path exists, its size and times can be read" },
  },
  {
    name: "ways out of the root folder",
    source: (canary) => `${raw}
secret = ${JSON.stringify(`${canary}/secret`)}
folder = ctypes.create_string_buffer(b"escape"); os.mkdir("escape")
top = os.open("/", os.O_PATH)
raw("chroot", 161, 51, ctypes.addressof(folder))
raw("pivot_root", 155, 41, ctypes.addressof(folder), ctypes.addressof(folder))
raw("open_by_handle_at", 304, 265, top, ctypes.addressof(folder), 0)
raw("mount", 165, 40, ctypes.addressof(folder), ctypes.addressof(folder), 0, 4096, 0)
raw("open_tree", 428, 428, top, ctypes.addressof(folder), 0)
raw("setns", 308, 268, top, 0)
for fd in range(1024):  # a folder of the host left open would lead to all others
    if fd == top: continue
    attempt(f"list descriptor {fd}", lambda: os.listdir(fd))
    attempt(f"from descriptor {fd}", lambda: os.stat("..", dir_fd=fd))
    attempt(f"enter descriptor {fd}", lambda: os.fchdir(fd))
for name in ("fchdir", "chdir"):
    os.fchdir(top) if name == "fchdir" else os.chdir("/")
    for _ in range(40): os.chdir("..")
    attempt(f"read after {name}", lambda: open(secret.lstrip("/")).read())
attempt("read from the top", lambda: os.open("../" * 20 + secret.lstrip("/"), os.O_RDONLY, dir_fd=top))
attempt("make a device", lambda: os.mknod("disk", 0o060600, os.makedev(254, 0)) or os.open("disk", os.O_RDONLY))
attempt("beside it", lambda: os.listdir("/work") or os.listdir("/nonexistent"))`,
    status: ["ok"],
  },
  {
    name: "the host's name",
    source: () => `${raw}
import posix, socket, subprocess
answers = {os.uname().nodename, posix.uname().nodename, platform.node(), platform.uname().node, socket.gethostname(), socket.getfqdn()}
print("held" if answers == {"sandbox"} else f"LEAK {answers}")
raw("uname", 63, 160, ctypes.addressof(ctypes.create_string_buffer(390)))
for name in ("uname", "gethostname", "getdomainname"):
    buffer = ctypes.create_string_buffer(390)
    if getattr(libc, name)(buffer, 390) != -1 or any(buffer.raw): print("LEAK", name, buffer.raw)
for path in ("/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", "/etc/hostname", "/etc/hosts", "/etc/mailname"):
    attempt(path, lambda: open(path).read())
if "HOSTNAME" in os.environ or platform.system() != "Linux" or not platform.release(): print("LEAK odd machine", os.environ, platform.uname())`,
    status: ["ok"],
    notHeld: { seatbelt: "macOS has no namespace for names: Python answers `sandbox`, the C library does not" },
  },
];
