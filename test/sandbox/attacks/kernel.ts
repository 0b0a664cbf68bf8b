/** Hostile snippets that call the kernel by number, and by every name Python and libc have for it. */
import { type Attack, attempt, raw } from "./attack.ts";

/** `name x86_64 aarch64 arguments...`, one call a line; each must answer EPERM or ENOSYS. */
const calls = (table: string): string => `${raw}
parent = os.getppid() or 2
for line in """${table}""".split("\\n"):
    name, x86, aarch64, *arguments = line.split() or ("", "-1", "-1")
    raw(name, int(x86), int(aarch64), *[parent if a == "parent" else int(a, 0) for a in arguments])`;

const byNumber = (name: string, table: string): Attack => ({ name, source: () => calls(table), status: ["ok"] });

export const kernel: Attack[] = [
  byNumber(
    "calls: signals and priorities of others",
    `
kill 62 129 parent 0
kill-group 62 129 0 0
kill-all 62 129 -1 0
tkill 200 130 parent 0
tgkill 234 131 parent parent 0
rt_sigqueueinfo 129 138 parent 0 0
rt_tgsigqueueinfo 297 240 parent parent 0 0
pidfd_open 434 434 parent 0
pidfd_send_signal 424 424 3 9 0 0
pidfd_getfd 438 438 3 0 0
setpriority 141 140 0 parent 19
sched_setaffinity 203 122 parent 8 0
sched_setscheduler 144 119 parent 0 0
sched_setparam 142 118 parent 0
sched_setattr 314 274 parent 0 0
ioprio_set 251 30 1 parent 0
prlimit64 302 261 parent 7 0 0
process_madvise 440 440 3 0 0 0 0
process_mrelease 448 448 3 0
migrate_pages 256 238 parent 0 0 0
move_pages 279 239 parent 0 0 0 0 0
get_robust_list 274 100 parent 0 0
setpgid 109 154 0 0
setsid 112 157`,
  ),
  byNumber(
    "calls: memory of others and executable memory files",
    `
ptrace 101 117 16 parent 0 0
process_vm_readv 310 270 parent 0 0 0 0 0
process_vm_writev 311 271 parent 0 0 0 0 0
kcmp 312 272 1 1 0 0 0
userfaultfd 323 282 0
perf_event_open 298 241 0 0 0 0 0
memfd_create 319 279 0 0
memfd_secret 447 447 0
execve 59 221 0 0 0
execveat 322 281 -100 0 0 0 0x1000
uselib 134 -1 0
modify_ldt 154 -1 0 0 0
set_thread_area 205 -1 0
personality 135 92 0x40000
remap_file_pages 216 234 0 0 0 0 0
mbind 237 235 0 0 0 0 0 0
set_mempolicy 238 237 0 0 0
mlock 149 228 0 0
mlock2 325 284 0 0 0
mlockall 151 230 3
pkey_alloc 330 289 0 0
vmsplice 278 75 1 0 0 0
splice 275 76 0 0 0 0 0 0
tee 276 77 0 1 0 0`,
  ),
  byNumber(
    "calls: objects that would outlive the snippet",
    `
shmget 29 194 0 4096 0o1600
shmat 30 196 0 0 0
semget 64 190 0 1 0o1600
msgget 68 186 0 0o1600
mq_open 240 180 0 66 0 0
timer_create 222 107 0 0 0
timerfd_create 283 85 0 0
signalfd4 289 74 -1 0 8 0
io_setup 206 0 1 0
io_uring_setup 425 425 8 0
io_uring_enter 426 426 0 0 0 0 0 0
io_uring_register 427 427 0 0 0 0
add_key 248 217 0 0 0 0 0
request_key 249 218 0 0 0 0
keyctl 250 219 0 -3 0 0 0
inotify_init1 294 26 0
fanotify_init 300 262 0 0
fanotify_mark 301 263 0 0 0 0 0
bpf 321 280 0 0 0
clone-process 56 220 17 0 0 0 0
clone-namespaces 56 220 0x7E020000 0 0 0 0
clone3 435 435 0 88
fork 57 -1
vfork 58 -1`,
  ),
  byNumber(
    "calls: namespaces, mounts and roots",
    `
unshare 272 97 0x10000000
setns 308 268 0 0
mount 165 40 0 0 0 0 0
umount2 166 39 0 0
pivot_root 155 41 0 0
chroot 161 51 0
open_tree 428 428 -100 0 1
move_mount 429 429 0 0 0 0 0
fsopen 430 430 0 0
fsconfig 431 431 0 0 0 0 0
fsmount 432 432 0 0 0
fspick 433 433 -100 0 0
mount_setattr 442 442 -100 0 0 0 0
statmount 457 457 0 0 0 0
listmount 458 458 0 0 0 0
name_to_handle_at 303 264 -100 0 0 0 0
open_by_handle_at 304 265 -100 0 0
quotactl 179 60 0 0 0 0
quotactl_fd 443 443 0 0 0 0
swapon 167 224 0 0
acct 163 89 0
landlock_create_ruleset 444 444 0 0 1
landlock_restrict_self 446 446 3 0
seccomp 317 277 1 0 0
lsm_set_self_attr 460 460 0 0 0 0`,
  ),
  byNumber(
    "calls: identity, clock and machine",
    `
setuid 105 146 0
setgid 106 144 0
setreuid 113 145 0 0
setresuid 117 147 0 0 0
setfsuid 122 151 0
setgroups 116 159 0 0
capset 126 91 0 0
clock_settime 227 112 0 0
settimeofday 164 170 0 0
adjtimex 159 171 0
clock_adjtime 305 266 0 0
sethostname 170 161 0 0
setdomainname 171 162 0 0
reboot 169 142 0 0 0 0
kexec_load 246 104 0 0 0 0
kexec_file_load 320 294 0 0 0 0 0
init_module 175 105 0 0 0
finit_module 313 273 0 0 0
delete_module 176 106 0 0
syslog 103 116 3 0 0
iopl 172 -1 3
ioperm 173 -1 0 1 1
vhangup 153 58
sync 162 81
syncfs 306 267 0
lookup_dcookie 212 18 0 0 0
not-yet-invented 1000 1000
not-yet-invented-either 600 600`,
  ),
  {
    name: "process controls",
    source: () => `${raw}
for option in (1, 4, 8, 14, 22, 23, 24, 26, 28, 29, 33, 35, 36, 38, 41, 43, 47, 52, 53, 59, 62, 64, 65, 0x59616D61):
    raw(f"prctl {option}", 157, 167, option, 1, 0, 0, 0)`,
    status: ["ok"],
  },
  {
    name: "arguments that the filter reads half of",
    source: () => `${raw}
for high in (1 << 32, 1 << 62):
    raw("fork by its number", high | 57, high | 1079); raw("clone", 56, 220, high | 17, 0, 0, 0, 0)
    for option in (4, 22, 36): raw(f"prctl {option}", 157, 167, high | option, 1, 0, 0, 0)
    for command in (8, 10, 1024, 1026): raw(f"fcntl {command}", 72, 25, 1, high | command, 1)
    raw("prlimit64", 302, 261, high | 1, 7, 0, 0); raw("getsid", 124, 156, high | 1)`,
    status: ["ok"],
  },
  {
    name: "limits raised again",
    source: () => `${attempt}
import resource
for name in [name for name in dir(resource) if name.startswith("RLIMIT_")]:
    soft, hard = resource.getrlimit(getattr(resource, name))
    if hard != resource.RLIM_INFINITY:
        attempt(name, lambda: resource.setrlimit(getattr(resource, name), (soft, hard + 1)))
for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_CORE", "RLIMIT_MEMLOCK"):
    attempt(name + " unlimited", lambda: resource.setrlimit(getattr(resource, name), (-1, -1)))`,
    status: ["ok"],
  },
  {
    name: "programs and loaders",
    source: () => `${attempt}
import glob, subprocess
paths = ["/bin/sh", "/usr/bin/python3", sys.executable, *glob.glob("/lib*/ld-linux*"), *glob.glob("/lib/*/ld-linux*"), "/usr/bin/env"]
for path in paths:
    attempt(path, lambda: os.execv(path, [path, "/bin/true"]))
with open("program", "w") as file: file.write("#!/bin/sh\\necho LEAK\\n")
os.chmod("program", 0o755)
attempt("own script", lambda: os.execv("./program", ["program"]))
attempt("posix_spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("subprocess", lambda: subprocess.run(["true"]))
attempt("forkpty", lambda: os.forkpty())
if os.system("true") == 0: print("LEAK system")
import multiprocessing
attempt("multiprocessing", lambda: multiprocessing.Process(target=print).start())
import ctypes
if ctypes.CDLL(None).system(b"true") == 0: print("LEAK libc system")`,
    status: ["ok"],
  },
  {
    name: "kernel sockets beside the network",
    source: () => `${attempt}
import socket
for name, arguments in {
    "AF_ALG": (38, socket.SOCK_SEQPACKET), "AF_NETLINK route": (16, socket.SOCK_RAW, 0), "AF_NETLINK audit": (16, socket.SOCK_RAW, 9),
    "AF_VSOCK": (40, socket.SOCK_STREAM), "AF_PACKET": (17, socket.SOCK_RAW, 0x300), "AF_KEY": (15, socket.SOCK_RAW, 2),
    "AF_BLUETOOTH": (31, socket.SOCK_RAW, 1), "AF_CAN": (29, socket.SOCK_RAW, 1), "AF_TIPC": (30, socket.SOCK_SEQPACKET),
    "AF_XDP": (44, socket.SOCK_RAW), "ICMP": (2, socket.SOCK_DGRAM, 1), "raw IP": (2, socket.SOCK_RAW, 255),
    "SCTP": (2, socket.SOCK_STREAM, 132), "SMC": (43, socket.SOCK_STREAM),
}.items():
    attempt(name, lambda: socket.socket(*arguments))
attempt("unix pair", lambda: socket.socketpair())
for descriptor in range(64):
    for name, run in (("accept", lambda: socket.socket(fileno=descriptor).accept()), ("connect", lambda: socket.socket(fileno=descriptor).connect("/run/docker.sock"))):
        attempt(f"{name} on {descriptor}", run)
attempt("name look-up", lambda: socket.getaddrinfo("example.com", 80))`,
    status: ["ok"],
  },
  {
    name: "terminal and descriptor controls",
    source: () => `${attempt}
import fcntl
read_end, write_end = os.pipe()
for descriptor in (0, 1, 2, 3, read_end):
    # TIOCSTI, TIOCSCTTY, TIOCNOTTY, TIOCLINUX, TIOCSETD, FIOASYNC, FIOSETOWN, SIOCSPGRP, FS_IOC_SETFLAGS, FIFREEZE, FICLONE
    for request in (0x5412, 0x540E, 0x5422, 0x541C, 0x5423, 0x5452, 0x8901, 0x8902, 0x40086602, 0xC0045877, 0x40049409):
        attempt(f"ioctl {request:#x} on {descriptor}", lambda: fcntl.ioctl(descriptor, request, b"\\0" * 64))
    # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ, F_ADD_SEALS
    for command in (8, 10, 15, 1024, 1026, 1031, 1033):
        attempt(f"fcntl {command} on {descriptor}", lambda: fcntl.fcntl(descriptor, command, 1))`,
    status: ["ok"],
  },
];
