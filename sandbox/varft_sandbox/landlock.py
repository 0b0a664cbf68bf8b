"""Landlock: which folders a process may read and write, enforced by the kernel without any privilege (Linux >=
5.13)."""

import ctypes
import errno
import os

from . import kernel

# Equal on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_ABI_1_RIGHTS = (1 << 13) - 1
_DEVICES_AND_SOCKETS = 1 << 6 | 1 << 9 | 1 << 11

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE


class _RulesetAttributes(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64)]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def abi() -> int:
    """Landlock's ABI version, 0 when the kernel was built or booted without it."""
    try:
        return kernel.syscall(_CREATE_RULESET, "landlock_create_ruleset", None, ctypes.c_size_t(0), ctypes.c_uint(1))
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def restrict(version: int, readable: list[str], writable: list[str], handles: tuple[int, ...] = ()) -> None:
    """Confines the calling process and all it starts. Paths that do not exist are left out; `handles` are descriptors
    of folders that may be read; /dev/null, where it may be read, may be written. Needs no_new_privs.

    From ABI 6 signals and abstract sockets outside the domain are refused as well, from ABI 4 TCP; seccomp refuses
    all three anyway.
    """
    handled = _ABI_1_RIGHTS
    handled |= _REFER if version >= 2 else 0
    handled |= _TRUNCATE if version >= 3 else 0
    handled |= _IOCTL_DEVICE if version >= 5 else 0
    attributes = _RulesetAttributes(handled, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = kernel.syscall(
        _CREATE_RULESET, "landlock_create_ruleset", ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint(0)
    )
    try:
        for handle in handles:
            _add_rule(ruleset, handle, handled & _READ)
        for path in readable:
            _allow(ruleset, path, handled & (_READ | (_WRITE_FILE if path == os.devnull else 0)))
        for path in writable:
            _allow(ruleset, path, handled & ~(_EXECUTE | _DEVICES_AND_SOCKETS))
        kernel.syscall(_RESTRICT_SELF, "landlock_restrict_self", ctypes.c_int(ruleset), ctypes.c_uint(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rights = rights if os.path.isdir(path) else rights & _FILE_RIGHTS
        _add_rule(ruleset, folder, rights)
    finally:
        os.close(folder)


def _add_rule(ruleset: int, folder: int, rights: int) -> None:
    rule = _PathRule(rights, folder)
    arguments = ctypes.c_int(ruleset), ctypes.c_int(1), ctypes.byref(rule), ctypes.c_uint(0)
    kernel.syscall(_ADD_RULE, "landlock_add_rule", *arguments)
