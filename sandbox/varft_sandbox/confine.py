"""Locks a freshly forked process down before hostile code or bytes reach it: descriptors, limits, privileges, system
calls."""

import os
import resource
from dataclasses import dataclass

from . import kernel, landlock, seccomp

# Enough for libraries that start a helper thread, too few to hide memory in. Fork is refused by seccomp already.
_MAX_TASKS = 10
_MAX_DESCRIPTORS = 64
_PAGE, _GRAIN, _MOST = 4 << 10, 16 << 20, 1 << 40


@dataclass(frozen=True)
class Confinement:
    """What is equal for every process of a worker; computed once."""

    filter: bytes | None
    """Packed BPF program; None where nothing but limits confines."""
    landlock_abi: int | None
    """None where mounts confine the files, or nothing does."""
    readable: tuple[str, ...]
    """Landlock only: interpreter, packages, system libraries."""


def close_all_but(keep: list[int]) -> None:
    """Closes every descriptor that is not in `keep`."""
    low = 0
    for descriptor in sorted(keep):
        if descriptor > low:
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, 1 << 20)


def limit(*, memory_bytes: int, cpu_seconds: int, file_bytes: int) -> None:
    """Resource limits, hard and soft: nothing raises them again. Over its CPU time a process gets SIGXCPU, which tells
    why it ended, and a second later SIGKILL."""
    limits = {
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: _MAX_DESCRIPTORS,
        resource.RLIMIT_NPROC: _MAX_TASKS,
        # One byte: none is written, and none is piped to a crash reporter, which 0 would not prevent.
        resource.RLIMIT_CORE: 1 if kernel.LINUX else 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    if kernel.LINUX:  # elsewhere there is no such limit, and memory is measured
        limits |= {resource.RLIMIT_AS: memory_bytes, resource.RLIMIT_MSGQUEUE: 0}
    for name, value in limits.items():
        _set(name, value, value)
    _set(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)


def _set(name: int, soft: int, hard: int) -> None:
    _, most = resource.getrlimit(name)
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(name, (soft, hard))


def drop(confinement: Confinement, writable: list[str]) -> None:
    """Gives up files outside `writable` (Landlock tier), capabilities and system calls, in the order in which each
    still works."""
    if confinement.filter is None:
        return
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if confinement.landlock_abi is not None:
        landlock.restrict(confinement.landlock_abi, list(confinement.readable), writable)
    kernel.drop_capabilities()
    seccomp.install(confinement.filter)


def address_space_in_use(apart_from: int) -> int:
    """Bytes mapped by this process, less `apart_from`, up to the next 16 MB, so that every start finds the same; by
    bisection with RLIMIT_AS, as there is no /proc in the jail to ask. 0 where that limit binds nobody."""
    if not kernel.LINUX:
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    low, high = 0, _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    try:
        while high - low > _PAGE:
            middle = (low + high) // 2
            resource.setrlimit(resource.RLIMIT_AS, (middle, hard))
            if _can_map_a_page():
                high = middle
            else:
                low = middle
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    return -(-(high - apart_from) // _GRAIN) * _GRAIN


def _can_map_a_page() -> bool:
    address = kernel.map_page()
    if address is None:
        return False
    kernel.unmap_page(address)
    return True
