"""Watching a confined process until it ends: pipes, deadline, room, cancellation."""

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import framing
from .zygote import Zygote

_READ_BYTES = 65536
_LOOK_MS = 20


@dataclass
class Capture:
    """What came out of a pipe, up to a limit; the rest is read and dropped so that the writer never blocks."""

    descriptor: int
    limit: int
    kept: bytearray
    chunk_bytes: int = _READ_BYTES
    """Most to read at once: what follows stays in the pipe."""
    truncated: bool = False
    open: bool = True

    def pump(self) -> bool:
        """Reads once; False when there is nothing more for now."""
        try:
            data = os.read(self.descriptor, self.chunk_bytes)
        except BlockingIOError:
            return False
        if not data:
            self.open = False
            return False
        room = self.limit - len(self.kept)
        self.truncated |= len(data) > room
        self.kept += data[: max(0, room)]
        return True

    def drain(self) -> None:
        """What is left in a dead writer's pipe, which holds at most a megabyte."""
        for _ in range(64):
            if not self.open or not self.pump():
                return


def watch(
    zygote: Zygote,
    captures: list[Capture],
    timeout_ms: int,
    requests: int,
    *,
    idle: Zygote,
    overfull: Callable[[], str | None] | None = None,
    enough: Callable[[], bool] = lambda: False,
) -> str | None:
    """Pumps the pipes until the zygote's process ends or has said `enough` (None), or must be stopped: it is over its
    deadline or its room, of which `overfull` is asked regularly, or the host cancels (why). `zygote.end` must follow.

    Raises `framing.Disconnected` when the host has gone, or the zygote that has nothing to do.
    """
    deadline = time.monotonic() + timeout_ms / 1000
    poll = select.poll()
    by_descriptor = {capture.descriptor: capture for capture in captures}
    for descriptor in (zygote.fileno(), idle.fileno(), requests, *by_descriptor):
        poll.register(descriptor, select.POLLIN)
    next_look = time.monotonic()
    while not enough():
        now = time.monotonic()
        if now >= deadline:
            return "timeout"
        if overfull is not None and now >= next_look:
            stopped = overfull()
            if stopped is not None:
                return stopped
            next_look = time.monotonic() + _LOOK_MS / 1000
        wait_ms = (deadline - now) * 1000 + 1
        ready = [descriptor for descriptor, _ in poll.poll(wait_ms if overfull is None else min(wait_ms, _LOOK_MS))]
        for descriptor in ready:
            capture = by_descriptor.get(descriptor)
            if capture is not None:
                capture.pump()
                if not capture.open:
                    poll.unregister(descriptor)
        if idle is not zygote and idle.fileno() in ready:
            idle.fork_ahead()
        if requests in ready:
            if os.read(requests, 1) != framing.CANCEL:
                raise framing.Disconnected
            return "cancelled"
        if zygote.fileno() in ready:
            return None
    return None
