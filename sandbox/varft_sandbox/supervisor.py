"""One request: read it, run the snippet confined, watch it, decode its output confined, write the only response frame.

A supervisor is forked ahead of its request, so that namespaces and mounts cost no latency, and serves exactly one.
"""

import fcntl
import mmap
import os
import select
import signal
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import confine, decode, framing, kernel, snippet
from .workspace import Workspace

INPUT_NAME = "path_to_input_image.jpg"
OUTPUT_NAME = "path_to_output_image.jpg"

_MEGABYTE = 1 << 20
_WATCH_MS = 20
_DECODE_MS = 10_000
_READ_BYTES = 65536
_REPORT_BYTES = 4096


@dataclass
class _Capture:
    """What came out of a pipe, up to a limit; the rest is read and dropped so that the writer never blocks."""

    descriptor: int
    limit: int
    kept: bytearray
    truncated: bool = False
    open: bool = True

    def pump(self) -> bool:
        """Reads once; False when there is nothing more for now."""
        try:
            data = os.read(self.descriptor, _READ_BYTES)
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


@dataclass
class _Ending:
    """How a confined process ended. `stopped` says why the supervisor killed it, None when it ended by itself."""

    wait_status: int
    cpu_seconds: float
    stopped: str | None


def start(zygote: int) -> None:
    """First thing in a supervisor's life: it dies with the zygote."""
    kernel.die_with_parent(zygote)


def serve_one(confinement: confine.Confinement, workspace: Workspace, requests: int, responses: int) -> None:
    """Waits for one request and answers it. Raises `framing.Disconnected` when the host went away."""
    while True:
        tag = bytes(framing.read_exactly(requests, 1))
        if tag == framing.REQUEST:
            break
        if tag != framing.CANCEL:
            raise ValueError(f"unknown frame tag {tag!r}")
    header = framing.read_header(requests)
    source = bytes(framing.read_exactly(requests, header["sourceBytes"]))
    image = framing.read_exactly(requests, header["imageBytes"])
    limits = header["limits"]

    started = time.monotonic()
    workspace.prepare(limits["diskMb"] * _MEGABYTE)
    _write_input(workspace.path, image)
    del image
    ending, stdout, stderr, report = _run_snippet(confinement, workspace, source, limits, requests)
    duration_ms = (time.monotonic() - started) * 1000
    status, note = _judge(ending, limits)
    if note is not None:
        stderr.kept += f"[sandbox] {note}\n".encode()
    output, pixels = _collect(confinement, workspace, limits, requests)
    exception = None
    if status == "exception":
        exception = (
            report.kept.decode("utf-8", "replace")
            or f"ended with exit code {os.waitstatus_to_exitcode(ending.wait_status)}"
        )
    response: dict[str, Any] = {
        "id": header["id"],
        "status": status,
        "exception": exception,
        "truncated": stdout.truncated or stderr.truncated,
        "durationMs": round(duration_ms, 3),
        "output": output,
        "stdoutBytes": len(stdout.kept),
        "stderrBytes": len(stderr.kept),
        "rgbBytes": len(pixels),
    }
    framing.write_frame(responses, response, (stdout.kept, stderr.kept, pixels))
    workspace.remove()


def _write_input(folder: str, image: bytearray) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(os.path.join(folder, INPUT_NAME), flags, 0o600)
    with open(descriptor, "wb") as file:
        file.write(image)


def _run_snippet(
    confinement: confine.Confinement, workspace: Workspace, source: bytes, limits: dict[str, int], requests: int
) -> tuple[_Ending, _Capture, _Capture, _Capture]:
    pipes = [os.pipe() for _ in range(3)]
    parent = workspace.before_fork()

    def child() -> None:
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
        for target, (_, write_end) in zip((1, 2, snippet.REPORT_FD), _out_of_the_way(pipes), strict=True):
            os.dup2(write_end, target)
        confine.close_all_but([0, 1, 2, snippet.REPORT_FD])
        kernel.die_with_parent(parent)
        os.chdir(workspace.path)
        confine.limit(
            memory_bytes=confinement.base_bytes + limits["memoryMb"] * _MEGABYTE,
            cpu_seconds=-(-limits["timeoutMs"] // 1000),
            file_bytes=limits["diskMb"] * _MEGABYTE,
        )
        confine.drop(confinement, [workspace.path])
        snippet.run(source)

    pid = _fork(child)
    captures = []
    for (read_end, write_end), size in zip(
        pipes, (limits["outputBytes"], limits["outputBytes"], _REPORT_BYTES), strict=True
    ):
        os.close(write_end)
        os.set_blocking(read_end, False)
        captures.append(_Capture(read_end, size, bytearray()))
    ending = _watch(
        pid, captures, limits["timeoutMs"], requests, lambda: workspace.overfull(pid), workspace.needs_watching
    )
    for capture in captures:
        capture.drain()
        os.close(capture.descriptor)
    stdout, stderr, report = captures
    return ending, stdout, stderr, report


def _out_of_the_way(pipes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same pipes, their write ends duplicated above the numbers that they are about to take."""
    return [(read_end, fcntl.fcntl(write_end, fcntl.F_DUPFD, 16)) for read_end, write_end in pipes]


def _fork(run: Callable[[], None]) -> int:
    """Forks a process that runs `run` and ends; whatever goes wrong in it, it never returns into the supervisor's code."""
    pid = os.fork()
    if pid == 0:
        try:
            run()
        except BaseException as error:  # noqa: BLE001
            os.write(2, f"[sandbox] could not start: {error}\n".encode())
        finally:
            os._exit(125)
    return pid


def _watch(
    pid: int,
    captures: list[_Capture],
    timeout_ms: int,
    requests: int,
    overfull: Callable[[], str | None],
    needs_watching: bool,
) -> _Ending:
    """Pumps the pipes until the process ends, is over its deadline or its folder's room, or the host cancels."""
    deadline = time.monotonic() + timeout_ms / 1000
    process = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(process, select.POLLIN)
    poll.register(requests, select.POLLIN)
    by_descriptor = {capture.descriptor: capture for capture in captures}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    stopped: str | None = None
    next_look = time.monotonic()
    try:
        while stopped is None:
            now = time.monotonic()
            if now >= deadline:
                stopped = "timeout"
                break
            if needs_watching and now >= next_look:
                stopped = overfull()
                next_look = time.monotonic() + _WATCH_MS / 1000
            wait_ms = (deadline - now) * 1000 + 1
            ready = poll.poll(min(wait_ms, _WATCH_MS) if needs_watching else wait_ms)
            for descriptor, _ in ready:
                capture = by_descriptor.get(descriptor)
                if capture is not None:
                    capture.pump()
                    if not capture.open:
                        poll.unregister(descriptor)
                elif descriptor == requests:
                    if os.read(requests, 1) != framing.CANCEL:
                        raise framing.Disconnected
                    stopped = "cancelled"
            if any(descriptor == process for descriptor, _ in ready):
                break
    finally:
        os.close(process)
        # Harmless for a process that has ended: it is not reaped yet, so its number cannot be another's.
        os.kill(pid, signal.SIGKILL)
        _, wait_status, usage = os.wait4(pid, 0)
    return _Ending(wait_status, usage.ru_utime + usage.ru_stime, stopped)


def _judge(ending: _Ending, limits: dict[str, int]) -> tuple[str, str | None]:
    """The outcome's status, and a line for the reader when the sandbox ended the snippet."""
    if ending.stopped == "timeout":
        return "timeout", f"stopped after {limits['timeoutMs']} ms"
    if ending.stopped is not None:
        return "killed", f"stopped: {ending.stopped}"
    code = os.waitstatus_to_exitcode(ending.wait_status)
    if code >= 0:
        return ("ok" if code == 0 else "exception"), None
    if -code in (signal.SIGKILL, signal.SIGXCPU) and ending.cpu_seconds >= limits["timeoutMs"] / 1000 - 0.1:
        return "timeout", f"stopped after {ending.cpu_seconds:.1f} s of CPU time"
    return "killed", f"killed by {signal.Signals(-code).name}"


def _collect(
    confinement: confine.Confinement, workspace: Workspace, limits: dict[str, int], requests: int
) -> tuple[dict[str, Any], memoryview]:
    """What became of the output file: the response's `output` and its pixels."""
    nothing = memoryview(b"")
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(os.path.join(workspace.path, OUTPUT_NAME), flags)
    except FileNotFoundError:
        return {"kind": "none"}, nothing
    except OSError as error:
        return _refused(f"the output cannot be opened as a file: {error.strerror}"), nothing
    status = os.fstat(descriptor)
    reason = None
    if not stat.S_ISREG(status.st_mode):
        reason = "the output is not a regular file"
    elif status.st_size == 0:
        reason = "the output file is empty"
    elif status.st_size > limits["diskMb"] * _MEGABYTE:
        reason = f"the output file has {status.st_size} bytes"
    if reason is not None:
        os.close(descriptor)
        return _refused(reason), nothing
    with open(descriptor, "rb") as file:
        return _decode(confinement, workspace, file, limits, requests)


def _decode(
    confinement: confine.Confinement, workspace: Workspace, file: Any, limits: dict[str, int], requests: int
) -> tuple[dict[str, Any], memoryview]:
    max_pixels = limits["imagePixels"]
    shared = mmap.mmap(-1, max_pixels * decode.BYTES_PER_PIXEL)  # pages appear only where pixels are written
    pixels = memoryview(shared)
    read_end, write_end = os.pipe()
    parent = workspace.before_fork()
    # The file's own samples (up to 4 bytes), Pillow's RGB (4 bytes a pixel), one rotated copy, and the shared result.
    memory = confinement.base_bytes + max_pixels * 16 + 64 * _MEGABYTE

    def child() -> None:
        kernel.die_with_parent(parent)
        confine.close_all_but([file.fileno(), write_end])
        confine.limit(memory_bytes=memory, cpu_seconds=-(-_DECODE_MS // 1000), file_bytes=0)
        confine.drop(confinement, [])
        decode.run(file, max_pixels, write_end, pixels)

    pid = _fork(child)
    os.close(write_end)
    os.set_blocking(read_end, False)
    result = _Capture(read_end, _REPORT_BYTES, bytearray())
    ending = _watch(pid, [result], _DECODE_MS, requests, lambda: None, False)
    result.drain()
    os.close(read_end)
    text = result.kept.decode("utf-8", "replace")
    words = text.split(" ")
    if ending.stopped is not None:
        return _refused(f"decoding the output was stopped: {ending.stopped}"), memoryview(b"")
    if len(words) == 3 and words[0] == "image" and words[1].isdecimal() and words[2].isdecimal():
        width, height = int(words[1]), int(words[2])
        if 0 < width * height <= max_pixels:
            return {"kind": "image", "width": width, "height": height}, pixels[
                : width * height * decode.BYTES_PER_PIXEL
            ]
    return _refused(text or "the decoder was killed"), memoryview(b"")


def _refused(reason: str) -> dict[str, Any]:
    return {"kind": "refused", "reason": reason}
