"""The system calls a snippet may make: an allow-list, compiled to classic BPF for x86_64 and aarch64.

Anything else answers EPERM, so it surfaces as an ordinary Python exception. A call through another ABI (int 0x80,
x32) kills. No fork, exec, socket, signal to others, ptrace, namespace, mount, key, BPF or io_uring call is on the
list, which is most of what the other layers guard against a second time.
"""

import ctypes
import errno
import platform
import struct
from dataclasses import dataclass

from . import kernel, syscalls

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000
_PRETEND = _ERRNO  # errno 0: does nothing and reports success

_PLAIN = frozenset(
    """
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range stat lstat
    fstat newfstatat statx access faccessat faccessat2 readlink readlinkat getcwd chdir fchdir mkdir mkdirat
    rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat mknod mknodat getdents
    getdents64 ftruncate fsync fdatasync umask dup dup2 dup3 pipe flock fadvise64 statfs fstatfs poll
    ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 sendfile
    copy_file_range mmap mprotect munmap mremap madvise brk msync rt_sigaction rt_sigprocmask rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_sigpending sigaltstack alarm setitimer getitimer pause nanosleep
    clock_nanosleep clock_gettime clock_getres gettimeofday time times getrusage sysinfo getpid gettid
    getppid getpgrp getpgid getsid getuid geteuid getgid getegid getgroups getresuid getresgid getrandom getcpu
    sched_yield sched_getaffinity futex set_robust_list set_tid_address rseq arch_prctl membarrier
    restart_syscall exit exit_group getrlimit setrlimit wait4 waitid
    """.split()
)

# Libraries call these after copying a file and treat a refusal as fatal. A file mode means nothing here, and Landlock
# does not cover chmod, so nothing happens and success is reported.
_IGNORED = frozenset(
    """
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utimensat utime utimes futimesat
    """.split()
)

# The caller falls back on another call. fallocate: would reserve gigabytes between two looks of the folder watcher.
_XATTR = [prefix + verb for prefix in ("", "l", "f") for verb in ("getxattr", "listxattr", "setxattr", "removexattr")]
_REFUSED = {
    "clone3": errno.ENOSYS,
    "openat2": errno.ENOSYS,
    "fallocate": errno.EOPNOTSUPP,
    **dict.fromkeys(_XATTR, errno.ENOTSUP),
}

_CLONE_THREAD = 0x00010000
_CLONE_NEW_ANY = 0x7E020080
_F_DUPFD_TO_SETLKW = range(8)
_FCNTL = (*_F_DUPFD_TO_SETLKW, 36, 37, 38, 1030, 1032)  # without SETOWN, SETSIG, SETLEASE, NOTIFY, SETPIPE_SZ
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
_PRCTL = (15, 16, 0x53564D41)  # SET_NAME, GET_NAME, SET_VMA (malloc)
_O_TRUNC_MASK, _O_TRUNC_READ = 0o1003, 0o1000
_O_TMPFILE = 0o20000000
_O_NOTIFICATION_PIPE = 0o200


@dataclass(frozen=True)
class _Test:
    """Allows or refuses by one argument: `argument & mask == value` gives `action`; `otherwise` ends the list."""

    argument: int
    mask: int
    value: int
    action: int


def _any_of(argument: int, values: tuple[int, ...]) -> list[_Test]:
    return [_Test(argument, 0xFFFFFFFF, value, _ALLOW) for value in values]


def _guarded(landlock_abi: int | None) -> dict[str, tuple[list[_Test], int]]:
    """Calls that depend on an argument: tests in order, then what applies when none matched."""
    denied = _ERRNO | errno.EPERM
    # A file without a name cannot be counted by the folder watcher.
    nameless = [_Test(1, _O_TMPFILE, _O_TMPFILE, denied)]
    old_landlock = landlock_abi is not None and landlock_abi < 3
    if old_landlock:  # truncation became a Landlock right with ABI 3; until then opening to read could empty a file
        nameless.append(_Test(1, _O_TRUNC_MASK, _O_TRUNC_READ, denied))
    at = [_Test(test.argument + 1, test.mask, test.value, test.action) for test in nameless]
    return {
        "open": (nameless, _ALLOW),
        "openat": (at, _ALLOW),
        "creat": ([], _ALLOW),
        "pipe2": ([_Test(1, _O_NOTIFICATION_PIPE, _O_NOTIFICATION_PIPE, denied)], _ALLOW),
        "truncate": ([], denied if old_landlock else _ALLOW),
        # A thread of this process; never a process, never a namespace.
        "clone": ([_Test(0, _CLONE_THREAD | _CLONE_NEW_ANY, _CLONE_THREAD, _ALLOW)], denied),
        "fcntl": (_any_of(1, _FCNTL), denied),
        "ioctl": (_any_of(1, _IOCTL), _ERRNO | errno.ENOTTY),
        "prctl": (_any_of(0, _PRCTL), denied),
        "prlimit64": (_any_of(0, (0,)), denied),
    }


_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_ARCHITECTURES = {"x86_64": (0xC000003E, syscalls.X86_64), "aarch64": (0xC00000B7, syscalls.AARCH64)}


def _instruction(code: int, k: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, k & 0xFFFFFFFF)


def snippet_filter(landlock_abi: int | None = None, machine: str | None = None) -> bytes:
    """The filter as packed `struct sock_filter`s (8 bytes each). `landlock_abi` is None where mounts confine the
    files."""
    architecture, numbers = _ARCHITECTURES[machine or platform.machine()]
    program = [
        _instruction(_LOAD, 4),  # seccomp_data.arch
        _instruction(_JUMP_EQUAL, architecture, 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, 0),  # seccomp_data.nr
    ]
    if architecture == 0xC000003E:  # x32 shares the architecture word
        program += [_instruction(_JUMP_AT_LEAST, 0x40000000, 0, 1), _instruction(_RETURN, _KILL)]

    def when(name: str, body: list[bytes]) -> None:
        if name in numbers:
            program.append(_instruction(_JUMP_EQUAL, numbers[name], 0, len(body)))
            program.extend(body)

    for name in sorted(_PLAIN):
        when(name, [_instruction(_RETURN, _ALLOW)])
    for name in sorted(_IGNORED):
        when(name, [_instruction(_RETURN, _PRETEND)])
    for name, number in sorted(_REFUSED.items()):
        when(name, [_instruction(_RETURN, _ERRNO | number)])
    for name, (tests, otherwise) in sorted(_guarded(landlock_abi).items()):
        body: list[bytes] = []
        for test in tests:
            body.append(_instruction(_LOAD, 16 + 8 * test.argument))  # low word: each of these arguments is an int
            if test.mask != 0xFFFFFFFF:
                body.append(_instruction(_AND, test.mask))
            body += [_instruction(_JUMP_EQUAL, test.value, 0, 1), _instruction(_RETURN, test.action)]
        when(name, [*body, _instruction(_RETURN, otherwise)])
    program.append(_instruction(_RETURN, _ERRNO | errno.EPERM))
    return b"".join(program)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def install(program: bytes) -> None:
    """Confines the calling thread and all it starts, for good. Needs no_new_privs."""
    header = _Program(len(program) // 8, program)
    mode_filter, set_seccomp = 2, 22
    result = kernel.LIBC.prctl(set_seccomp, ctypes.c_ulong(mode_filter), ctypes.byref(header), 0, 0)
    kernel.check(result, "prctl(PR_SET_SECCOMP)")
