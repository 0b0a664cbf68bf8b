"""A supervised worker does not outlive its supervisor, however that one ended."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading

log = logging.getLogger("varft.engine")

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ends this process at once when its parent is gone: the supervisor holds our stdin as a pipe until then.

    At once, also inside an operation: nobody waits for its result, a checkpoint is written beside its target and
    renamed last, and the next worker needs the memory. Linux's own signal comes on top, for the case that Python
    itself is stuck.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    def watch() -> None:
        while os.read(0, 4096):
            pass
        log.warning("the supervisor is gone: exiting")
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
