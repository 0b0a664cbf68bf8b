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
    read write readv writev pread64 pwrite64 preadv pwritev lseek close stat lstat fstat newfstatat statx access
    faccessat faccessat2 getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link
    linkat symlink symlinkat mknod mknodat getdents getdents64 ftruncate umask dup dup2 dup3 pipe statfs fstatfs
    poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 sendfile
    copy_file_range mprotect munmap mremap brk rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigpending sigaltstack alarm setitimer getitimer pause nanosleep gettimeofday time times
    getrusage sysinfo getpid gettid getppid getpgrp getuid geteuid getgid getegid getgroups getresuid getresgid
    getrandom getcpu sched_yield set_robust_list set_tid_address rseq arch_prctl restart_syscall exit exit_group
    getrlimit setrlimit wait4 waitid
    """.split()
)

# Libraries call these and treat a refusal as fatal; here they mean nothing, so nothing happens and success is reported.
# Modes and times: Landlock does not cover them. Syncing: would keep the host's disk busy for a folder that is about to
# vanish. Locks: nobody shares a snippet's files, and on the runtime's they would be seen by every other snippet.
_IGNORED = frozenset(
    """
    chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utimensat utime utimes futimesat
    fsync fdatasync msync fadvise64 flock
    """.split()
)

# The caller falls back on another call. fallocate: would reserve gigabytes between two looks of the folder watcher.
_XATTR = [prefix + verb for prefix in ("", "l", "f") for verb in ("getxattr", "listxattr", "setxattr", "removexattr")]
_REFUSED = {
    "clone3": errno.ENOSYS,
    "openat2": errno.ENOSYS,
    "membarrier": errno.ENOSYS,
    "fallocate": errno.EOPNOTSUPP,
    **dict.fromkeys(_XATTR, errno.ENOTSUP),
}

# A thread with descriptors of its own could hold deleted files where the folder watcher does not look.
_CLONE_THREAD = 0x00010000 | 0x400 | 0x200  # THREAD, FILES, FS
_CLONE_NEW_ANY = 0x7E020080
_CLOSE_RANGE_UNSHARE = 2
_FCNTL = (*range(5), 1030, 1032)  # DUPFD to SETFL, DUPFD_CLOEXEC, GETPIPE_SZ
_FCNTL_LOCK = (6, 7, 37, 38)  # SETLK, SETLKW, and the same of the open file
_FUTEX_COMMAND = 0x7F
_FUTEX_WAIT = (0, 9)  # WAIT, WAIT_BITSET: also shared, as pthread_join waits for the kernel's wake
# WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAKE_BITSET, private. Shared ones would wake another snippet on a page of the
# runtime; those with priority inheritance take another process's number.
_FUTEX_WAKE = tuple(command | 0x80 for command in (1, 3, 4, 5, 10))
_FUTEX_OPERATION = 0xFF
_CLOCK_OF_ANOTHER = 0x80000000  # a process's or a device's
_MAP_HUGETLB = 0x40000
_MADVISE_REFUSED = (12, 20, 21, 100, 101)  # MERGEABLE, COLD, PAGEOUT, HWPOISON, SOFT_OFFLINE
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
_PRCTL = (15, 16, 0x53564D41)  # SET_NAME, GET_NAME, SET_VMA (malloc)
_O_TRUNC_MASK, _O_TRUNC_READ = 0o1003, 0o1000
_O_TMPFILE = 0o20000000
_O_DSYNC = 0o10000
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
    opening = [_Test(1, flag, flag, denied) for flag in (_O_TMPFILE, _O_DSYNC)]
    old_landlock = landlock_abi is not None and landlock_abi < 3
    if old_landlock:  # truncation became a Landlock right with ABI 3; until then opening to read could empty a file
        opening.append(_Test(1, _O_TRUNC_MASK, _O_TRUNC_READ, denied))
    at = [_Test(test.argument + 1, test.mask, test.value, test.action) for test in opening]
    return {
        "open": (opening, _ALLOW),
        "openat": (at, _ALLOW),
        "creat": ([], _ALLOW),
        "pipe2": ([_Test(1, _O_NOTIFICATION_PIPE, _O_NOTIFICATION_PIPE, denied)], _ALLOW),
        "truncate": ([], denied if old_landlock else _ALLOW),
        # Landlock does not cover it: where the links of the host lead is nobody's business.
        **dict.fromkeys(("readlink", "readlinkat"), ([], _ALLOW if landlock_abi is None else _ERRNO | errno.EACCES)),
        **dict.fromkeys(("preadv2", "pwritev2"), (_any_of(5, (0,)), _ERRNO | errno.EOPNOTSUPP)),
        # A thread of this process; never a process, never a namespace.
        "clone": ([_Test(0, _CLONE_THREAD | _CLONE_NEW_ANY, _CLONE_THREAD, _ALLOW)], denied),
        "close_range": ([_Test(2, _CLOSE_RANGE_UNSHARE, 0, _ALLOW)], denied),
        "fcntl": (
            [*_any_of(1, _FCNTL), *(_Test(1, 0xFFFFFFFF, command, _PRETEND) for command in _FCNTL_LOCK)],
            denied,
        ),
        "futex": (
            [
                *(_Test(1, _FUTEX_COMMAND, command, _ALLOW) for command in _FUTEX_WAIT),
                *(_Test(1, _FUTEX_OPERATION, operation, _ALLOW) for operation in _FUTEX_WAKE),
            ],
            _ERRNO | errno.ENOSYS,
        ),
        "mmap": ([_Test(3, _MAP_HUGETLB, 0, _ALLOW)], _ERRNO | errno.ENOMEM),
        "madvise": ([_Test(2, 0xFFFFFFFF, advice, _ERRNO | errno.EINVAL) for advice in _MADVISE_REFUSED], _ALLOW),
        "ioctl": (_any_of(1, _IOCTL), _ERRNO | errno.ENOTTY),
        "prctl": (_any_of(0, _PRCTL), denied),
        # Of this process only: at tier landlock the host's others have numbers too.
        **dict.fromkeys(("prlimit64", "getpgid", "getsid"), (_any_of(0, (0,)), denied)),
        "sched_getaffinity": (_any_of(0, (0,)), _ERRNO | errno.ENOSYS),
        **dict.fromkeys(
            ("clock_gettime", "clock_getres", "clock_nanosleep"),
            ([_Test(0, _CLOCK_OF_ANOTHER, 0, _ALLOW)], _ERRNO | errno.EINVAL),
        ),
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

    # First: the kernel remembers the calls whose answer needs no argument, and asks the program about these each time.
    for name, (tests, otherwise) in sorted(_guarded(landlock_abi).items()):
        body: list[bytes] = []
        for test in tests:
            body.append(_instruction(_LOAD, 16 + 8 * test.argument))  # low word: each of these arguments is an int
            if test.mask != 0xFFFFFFFF:
                body.append(_instruction(_AND, test.mask))
            body += [_instruction(_JUMP_EQUAL, test.value, 0, 1), _instruction(_RETURN, test.action)]
        when(name, [*body, _instruction(_RETURN, otherwise)])
    for name in sorted(_PLAIN):
        when(name, [_instruction(_RETURN, _ALLOW)])
    for name in sorted(_IGNORED):
        when(name, [_instruction(_RETURN, _PRETEND)])
    for name, number in sorted(_REFUSED.items()):
        when(name, [_instruction(_RETURN, _ERRNO | number)])
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
