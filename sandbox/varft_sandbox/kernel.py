"""Kernel calls that Python 3.11 has no name for, through ctypes. Every failure is an `OSError` that names the call."""

import ctypes
import os
import platform
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
_FORK = ctypes.PyDLL(None, use_errno=True).fork
"""Keeps the interpreter's lock, as `os.fork` does."""
LINUX = sys.platform == "linux"
"""Else macOS, where `darwin.py` has what there is instead."""

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4

CAP_SYS_ADMIN = 21
CAP_LAST = 63

# Equal on every architecture: added after the tables were unified.
SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 1
_MOUNT_ATTR_NOSUID = 2
_MOUNT_ATTR_NODEV = 4


def check(result: int, call: str) -> int:
    """`result`, or the `OSError` behind a result of -1."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
    return result


def syscall(number: int, call: str, *arguments: object) -> int:
    return check(LIBC.syscall(ctypes.c_long(number), *arguments), call)


def prctl(option: int, second: int = 0, third: int = 0) -> None:
    numbers = [ctypes.c_ulong(value) for value in (second, third, 0, 0)]
    check(LIBC.prctl(ctypes.c_int(option), *numbers), f"prctl({option})")


def fork() -> int:
    """Like `os.fork` in a process without threads, but for Python's hooks after it (new locks, a new seed for
    `random`): they touch, and so copy, two hundred pages of every process."""
    return check(_FORK(), "fork") if LINUX else os.fork()


def unshare(flags: int) -> None:
    check(LIBC.unshare(ctypes.c_int(flags)), f"unshare({flags:#x})")


def unshare_pid_namespace() -> None:
    """The next process forked is the first of a new pid namespace (Linux >= 5.8)."""
    # None can be made while in the one made before, which ends with its first process: step back first.
    process = os.pidfd_open(os.getpid())
    try:
        check(LIBC.setns(ctypes.c_int(process), ctypes.c_int(CLONE_NEWPID)), "setns")
    finally:
        os.close(process)
    unshare(CLONE_NEWPID)


def mount(source: str, target: str, kind: str, flags: int = 0, data: str = "") -> None:
    arguments = [text.encode() for text in (source, target, kind)]
    check(LIBC.mount(*arguments, ctypes.c_ulong(flags), data.encode()), f"mount({kind or 'bind'} at {target})")


def unmount(target: str) -> None:
    check(LIBC.umount2(target.encode(), ctypes.c_int(MNT_DETACH)), f"umount2({target})")


def pivot_root(new_root: str, put_old: str) -> None:
    syscall(_SYS_PIVOT_ROOT[platform.machine()], "pivot_root", new_root.encode(), put_old.encode())


class _MountAttributes(ctypes.Structure):
    _fields_ = [
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("fd", ctypes.c_uint64),
    ]


def make_read_only(path: str, *, device: bool = False) -> None:
    """Makes the mount at `path`, and every mount below it, read-only, nosuid and (unless it is a device node) nodev."""
    bits = _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID | (0 if device else _MOUNT_ATTR_NODEV)
    attributes = _MountAttributes(set=bits)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    at = ctypes.c_int(-100), path.encode(), ctypes.c_uint(_AT_RECURSIVE), ctypes.byref(attributes), size
    syscall(SYS_MOUNT_SETATTR, f"mount_setattr({path})", *at)


def die_with_parent(parent: int | None) -> None:
    """SIGKILL when the parent dies; exits at once when it is gone already. `parent` is None for pid 1 of a pid
    namespace. On macOS nothing announces that death: a closed pipe does."""
    if LINUX:
        prctl(PR_SET_PDEATHSIG, 9)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Processes below this one whose parent dies become its children, so that it can reap them."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


_PAGE_BYTES = 4096
LIBC.mmap.restype = ctypes.c_void_p


def map_page() -> int | None:
    """Address of a fresh page without access, or None when the address space limit is reached."""
    private_anonymous = 0x22
    sizes = (
        ctypes.c_size_t(_PAGE_BYTES),
        ctypes.c_int(0),
        ctypes.c_int(private_anonymous),
        ctypes.c_int(-1),
        ctypes.c_long(0),
    )
    address = LIBC.mmap(None, *sizes)
    return None if address == ctypes.c_void_p(-1).value else address


def unmap_page(address: int) -> None:
    check(LIBC.munmap(ctypes.c_void_p(address), ctypes.c_size_t(_PAGE_BYTES)), "munmap")


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def drop_capabilities(keep: int = 0, *, across_exec: bool = False) -> None:
    """Leaves only the capabilities whose bits are in `keep`; `across_exec` makes them survive the next exec."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(CAP_LAST + 1):
        if not keep >> capability & 1:
            try:
                prctl(PR_CAPBSET_DROP, capability)
            except OSError:
                # EINVAL: past the kernel's last capability; EPERM: no CAP_SETPCAP, so there is nothing to drop from.
                break
    header = _CapabilityHeader(version=0x20080522, pid=0)
    low, high = keep & 0xFFFFFFFF, keep >> 32
    inheritable = (low, high) if across_exec else (0, 0)
    data = (ctypes.c_uint32 * 6)(low, low, inheritable[0], high, high, inheritable[1])
    check(LIBC.capset(ctypes.byref(header), ctypes.byref(data)), "capset")
    if across_exec:
        for capability in range(CAP_LAST + 1):
            if keep >> capability & 1:
                prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
