"""Out of memory as a typed error that says what to lower."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from .errors import VarftError

CPU_ALLOCATION = re.compile(r"can't allocate memory|not enough memory|bad_alloc|Cannot allocate memory", re.IGNORECASE)

Result = TypeVar("Result")


def within_memory(
    work: Callable[[], Result], doing: str, *, hint: str, sizes: dict[str, Any], recover: Callable[[], None]
) -> Result:
    """The result of `work()`; a failed allocation becomes `engine.out_of_memory` after `recover()`.

    `recover` drops what the failed work may have left; `sizes` says how large the work was.
    """
    try:
        return work()
    except (MemoryError, RuntimeError) as error:
        # torch.OutOfMemoryError is a RuntimeError; the CPU allocator raises a plain one.
        known = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or CPU_ALLOCATION.search(str(error))
        if not known:
            raise
        message = str(error).splitlines()[0][:300] if str(error) else "the allocator refused"
    # After the handler: until it ends, the traceback keeps the activations alive.
    recover()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    described = ", ".join(f"{name} {value}" for name, value in sizes.items())
    raise VarftError(
        "engine.out_of_memory", f"{doing} ({described}) ran out of memory: {message}", hint=hint, details=sizes
    )
