"""A warm interpreter that forks one process after another for the supervisor, each ahead of its need.

The zygote never touches what it forks for: each process has a channel of its own to the supervisor, by which its order
comes. It tells the supervisor of every process it has forked and of how each ended, and signals the one that lives when
told to.
"""

import gc
import os
import select
import signal
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from . import darwin, framing, kernel

_READY, _FORKED, _ENDED = b"R", b"F", b"E"
_MESSAGE = struct.Struct("<cqd")
"""Zygote to supervisor: what happened; base bytes, process id or wait status; CPU seconds of a process that ended."""
_SIGNAL = struct.Struct("<qi")
"""Supervisor to zygote: the process id, the signal."""

Task = Callable[[socket.socket], None]
"""What a forked process does, given its channel; it never returns."""


@dataclass
class Child:
    """A process that a zygote has forked, as the supervisor sees it."""

    pid: int
    """As the zygote sees it."""
    channel: socket.socket
    control: socket.socket

    def signal(self, number: int) -> None:
        """By way of the zygote, who never hits a process that has taken over the number of one that ended."""
        self.control.sendall(_SIGNAL.pack(self.pid, number))


class Zygote:
    """The supervisor's end of a zygote. Raises `framing.Disconnected` when the zygote has gone."""

    base_bytes = 0
    """Address space of the warm interpreter, to which the allowance of each process is added."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._ahead: Child | None = None

    def wait_until_warm(self) -> None:
        _, self.base_bytes, _, _ = self._next()

    def fileno(self) -> int:
        """Becomes readable when a process has been forked or has ended."""
        return self._control.fileno()

    def fork_ahead(self) -> None:
        """Waits for the next process. Any other news are that it, or the zygote, has died."""
        kind, pid, _, channel = self._next()
        if kind != _FORKED or channel is None:
            raise framing.Disconnected
        self._ahead = Child(pid, socket.socket(fileno=channel), self._control)

    @property
    def ready(self) -> bool:
        """Whether a process waits to be taken."""
        return self._ahead is not None

    def take(self) -> Child:
        """The process forked ahead, to be given an order; waits for it."""
        if self._ahead is None:
            self.fork_ahead()
        child, self._ahead = self._ahead, None
        assert child is not None
        return child

    def end(self, child: Child) -> tuple[int, float]:
        """Kills a process unless it has ended: its wait status, and its CPU time in seconds."""
        child.signal(signal.SIGKILL)
        kind, wait_status, cpu_seconds, _ = self._next()
        child.channel.close()
        if kind != _ENDED:
            raise framing.Disconnected
        return wait_status, cpu_seconds

    def _next(self) -> tuple[bytes, int, float, int | None]:
        data, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE.size, 1, socket.MSG_WAITALL)
        if len(data) < _MESSAGE.size:
            raise framing.Disconnected
        return (*_MESSAGE.unpack(data), descriptors[0] if descriptors else None)


def start(prepare: Callable[[], tuple[int, Task]], *, own_pid_namespace: bool) -> Zygote:
    """Forks a zygote that warms up by `prepare`, which returns the bytes of address space then in use and a task, and
    from then on forks processes that run it, each as the first of a pid namespace if asked for."""
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    if os.fork() == 0:
        code = 1
        try:
            kernel.die_with_parent(parent)
            ours.close()
            base_bytes, task = prepare()
            gc.collect()
            gc.freeze()  # keeps the collector from touching, and so copying, every page of every fork
            theirs.sendall(_MESSAGE.pack(_READY, base_bytes, 0.0))
            _serve(theirs, task, own_pid_namespace)
            code = 0
        except BrokenPipeError:
            code = 0  # the supervisor went first
        except BaseException:  # noqa: BLE001
            import traceback  # only here: the supervisor stays small

            os.write(2, traceback.format_exc().encode())  # in one piece: it may be killed for another's failure
        finally:
            os._exit(code)
    theirs.close()
    return Zygote(ours)


def _serve(control: socket.socket, task: Task, own_pid_namespace: bool) -> None:
    zygote = None if own_pid_namespace else os.getpid()
    while True:
        supervisors, childs = socket.socketpair()
        if own_pid_namespace:
            kernel.unshare_pid_namespace()
        pid = kernel.fork()
        if pid == 0:
            _become(task, childs, zygote, [control, supervisors])
        childs.close()
        socket.send_fds(control, [_MESSAGE.pack(_FORKED, pid, 0.0)], [supervisors.fileno()])
        supervisors.close()
        if not _wait(pid, control):
            return
        control.sendall(_ended(pid))


def _ended(pid: int) -> bytes:
    """The news of a process that has ended. Nothing of them stays in a frame that the next process could look at."""
    _, wait_status, usage = os.wait4(pid, 0)
    return _MESSAGE.pack(_ENDED, wait_status, usage.ru_utime + usage.ru_stime)


def _become(task: Task, channel: socket.socket, zygote: int | None, others: list[socket.socket]) -> None:
    """Runs `task` and ends; whatever goes wrong in it, it never returns into the zygote's code."""
    try:
        kernel.die_with_parent(zygote)
        for other in others:
            other.close()
        task(channel)
    except framing.Disconnected:
        pass  # the supervisor went first
    except BaseException as error:  # noqa: BLE001
        os.write(2, f"[sandbox] could not start: {error}\n".encode())
    finally:
        os._exit(125)


def _wait(pid: int, control: socket.socket) -> bool:
    """Until the process ends, signalling it when told to; False when the supervisor is gone."""
    process = os.pidfd_open(pid) if kernel.LINUX else darwin.exit_descriptor(pid)
    poll = select.poll()
    poll.register(process, select.POLLIN)
    poll.register(control, select.POLLIN)
    try:
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if control.fileno() in ready:
                order = control.recv(_SIGNAL.size, socket.MSG_WAITALL)
                if len(order) < _SIGNAL.size:
                    os.kill(pid, signal.SIGKILL)
                    return False
                target, number = _SIGNAL.unpack(order)
                if target == pid:  # else it comes late, for one that has ended
                    os.kill(pid, number)
            if process in ready:
                return True
    finally:
        os.close(process)
