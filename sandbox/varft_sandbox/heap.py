"""Room for images ahead of need: glibc's heap grown once, in huge pages, for every fork to find.

Left alone, glibc gives each image a mapping of its own and returns it, so that every operation pays for hundreds of
fresh 4 KB pages; a huge page costs one fault. The pages themselves are not touched here, so nothing is copied.
"""

import ctypes

from . import kernel

_PAGE, _HUGE_PAGE = 4 << 10, 2 << 20
_ROOM_BYTES = 30 << 20
_LARGEST_MMAP_THRESHOLD = 32 << 20  # glibc takes no larger one
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_MADV_HUGEPAGE = 14


def grow() -> int:
    """Bytes of address space that this took; 0 where the allocator or the kernel is another."""
    libc = kernel.LIBC
    if not (kernel.LINUX and hasattr(libc, "mallopt")):
        return 0
    libc.sbrk.restype = libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes, libc.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    before = libc.sbrk(0)
    for option, value in (
        (_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD),
        (_TRIM_THRESHOLD, 4 * _LARGEST_MMAP_THRESHOLD),
        (_TOP_PAD, 2 * _HUGE_PAGE),
    ):
        libc.mallopt(option, value)
    block = libc.malloc(_ROOM_BYTES)
    libc.free(block)
    # What is free from here on shall begin where a huge page does: one that holds anything already stays in pieces.
    start = -(-(block + _HUGE_PAGE) // _HUGE_PAGE) * _HUGE_PAGE
    libc.malloc(start - _PAGE - block)
    after = libc.sbrk(0)
    libc.madvise(start, after - start, _MADV_HUGEPAGE)  # refused by a kernel without them: then small ones serve
    return after - before
