"""Out of memory as a typed error that says what to lower."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from .errors import VarftError

CPU_ALLOCATION = re.compile(r"can't allocate memory|not enough memory|bad_alloc|Cannot allocate memory", re.IGNORECASE)


@contextmanager
def out_of_memory(doing: str, hint: str, sizes: dict[str, Any], recover: Callable[[], None]) -> Iterator[None]:
    """Turns an allocation failure inside into `engine.out_of_memory`, after `recover()` has dropped what a retry must not find."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch.OutOfMemoryError is a RuntimeError; the CPU allocator raises a plain one.
        known = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or CPU_ALLOCATION.search(str(error))
        if not known:
            raise
        message = str(error).splitlines()[0][:300] if str(error) else "the allocator refused"
        details = sizes
    else:
        return
    # Outside the handler: the traceback would keep the activations alive.
    recover()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise VarftError(
        "engine.out_of_memory", f"{doing} ran out of memory ({details}): {message}", hint=hint, details=details
    )
