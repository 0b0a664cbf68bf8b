"""Serves requests, one at a time: has the snippet run confined, watches it, has its output decoded confined, and is the
only writer of responses.

It imports no library, runs nothing that came with a request and parses nothing that a snippet wrote: what snippets
print passes through as bytes, and pixels arrive behind a line of known form (`output_file.py`).
"""

import os
import signal
import socket
import time
from dataclasses import dataclass
from typing import Any

from . import confine, darwin, framing, kernel, landlock, output_file, seccomp, watching, zygote
from .workspace import MountedWorkspace, WatchedFolder, Workspace

PROTOCOL = 1
DISCONNECTED = 3
"""Exit code of a worker for one snippet that found the host's pipe closed instead."""
_MEGABYTE = 1 << 20
_REPORT_BYTES = 4096


@dataclass
class Ending:
    """How a snippet ended. `stopped` says why the supervisor killed it, None when it ended by itself."""

    wait_status: int
    cpu_seconds: float
    stopped: str | None


@dataclass
class Worker:
    """What serves every request of a worker."""

    snippets: zygote.Zygote
    decoders: zygote.Zygote
    workspace: Workspace
    requests: int
    responses: int


def serve(
    confinement: str, *, requests: int, responses: int, readable: list[str], folder: str | None, announce: bool
) -> int:
    """Announces itself if asked to, then answers requests until the host closes the pipe; returns the process's
    exit code.

    `confinement` and `folder` as in `worker.py`. A worker that is a jail for one snippet answers one and ends with 0,
    or with `DISCONNECTED` when the host closed the pipe instead.
    """
    version = landlock.abi() if confinement == "landlock" else None
    calls = None if confinement == "none" else seccomp.snippet_filter(version)
    rules = confine.Confinement(calls, version, tuple(readable))
    workspace = MountedWorkspace() if folder is None else WatchedFolder(folder)
    own_pids = confinement == "mounts"

    def prepare_snippets() -> tuple[int, zygote.Task]:
        from . import snippet  # only here, as libraries are

        return snippet.prepare(rules, workspace, thorough=True)

    def prepare_decoders() -> tuple[int, zygote.Task]:
        from . import decode

        return decode.prepare(rules, thorough=True)

    def prepare_both() -> tuple[int, zygote.Task]:
        from . import decode, snippet

        base_bytes, run_snippet = snippet.prepare(rules, workspace, thorough=False)
        _, run_decoder = decode.prepare(rules, thorough=False)

        def task(channel: socket.socket) -> None:
            run = run_decoder if framing.kind_of_order(channel) == framing.DECODE else run_snippet
            run(channel)

        return base_bytes, task

    if confinement == "jail":  # for one snippet alone nothing pays that it may not need, nor a second interpreter
        snippets = decoders = zygote.start(prepare_both, own_pid_namespace=False)
    else:
        snippets = zygote.start(prepare_snippets, own_pid_namespace=own_pids)
        decoders = zygote.start(prepare_decoders, own_pid_namespace=own_pids)
    zygotes = {snippets, decoders}
    try:
        for each in zygotes:
            each.wait_until_warm()
    except framing.Disconnected:
        return 1  # the zygote has said why, and the last line of the log is what the host shows
    if own_pids:
        kernel.drop_capabilities()  # only the zygotes mount and make namespaces
    worker = Worker(snippets, decoders, workspace, requests, responses)
    if announce:
        ready = {"ready": PROTOCOL, "baseMb": snippets.base_bytes >> 20, "landlockAbi": version}
        framing.write_frame(responses, ready)
    try:
        while True:
            for each in zygotes:
                if not each.ready:
                    each.fork_ahead()
            _serve_one(worker)
            if confinement == "jail":
                return 0
    except framing.Disconnected:
        return DISCONNECTED if confinement == "jail" else 0


def _serve_one(worker: Worker) -> None:
    """Waits for one request and answers it. Raises `framing.Disconnected` when the host went away."""
    requests, responses, workspace = worker.requests, worker.responses, worker.workspace
    while True:
        tag = bytes(framing.read_exactly(requests, 1))
        if tag == framing.REQUEST:
            break
        if tag != framing.CANCEL:
            raise ValueError(f"unknown frame tag {tag!r}")
    header = framing.read_header(requests)
    source = bytes(framing.read_exactly(requests, header["sourceBytes"]))
    limits = header["limits"]

    disk_bytes = limits["diskMb"] * _MEGABYTE + header["imageBytes"]
    workspace.prepare(disk_bytes)
    child = worker.snippets.take()
    pipes = [os.pipe() for _ in range(3)]
    order = {"limits": limits, "diskBytes": disk_bytes, "sourceBytes": len(source)}
    framing.send_order(child.channel, framing.SNIPPET, order, source, [write_end for _, write_end in pipes])
    (folder,) = framing.receive_descriptors(child.channel, 1)
    _receive_input(folder, requests, header["imageBytes"])
    started = time.monotonic()
    child.channel.send(framing.GO)
    ending, stdout, stderr, report = _watch_snippet(worker, child, pipes, limits)
    duration_ms = (time.monotonic() - started) * 1000
    status, note = _judge(ending, limits)
    if note is not None:
        stderr.kept += f"[sandbox] {note}\n".encode()
    exception = None
    if status == "exception":
        exception = (
            report.kept.decode("utf-8", "replace")
            or f"ended with exit code {os.waitstatus_to_exitcode(ending.wait_status)}"
        )

    def respond(output: dict[str, Any], rgb_bytes: int) -> None:
        response: dict[str, Any] = {
            "id": header["id"],
            "status": status,
            "exception": exception,
            "truncated": stdout.truncated or stderr.truncated,
            "durationMs": round(duration_ms, 3),
            "output": output,
            "stdoutBytes": len(stdout.kept),
            "stderrBytes": len(stderr.kept),
            "rgbBytes": rgb_bytes,
        }
        framing.write_frame(responses, response, (stdout.kept, stderr.kept))

    left_ms = max(0, limits["timeoutMs"] - int(duration_ms))
    output_file.collect(worker.decoders, worker.snippets, folder, limits, left_ms, requests, responses, respond)
    os.close(folder)
    workspace.remove()


def _receive_input(folder: int, requests: int, size: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(output_file.INPUT_NAME, flags, 0o600, dir_fd=folder)
    framing.copy_exactly(requests, descriptor, size)
    os.close(descriptor)


def _watch_snippet(
    worker: Worker, child: zygote.Child, pipes: list[tuple[int, int]], limits: dict[str, int]
) -> tuple[Ending, watching.Capture, watching.Capture, watching.Capture]:
    captures = []
    for (read_end, write_end), size in zip(
        pipes, (limits["outputBytes"], limits["outputBytes"], _REPORT_BYTES), strict=True
    ):
        os.close(write_end)
        os.set_blocking(read_end, False)
        captures.append(watching.Capture(read_end, size, bytearray()))
    workspace = worker.workspace

    def over() -> str | None:
        memory = None if kernel.LINUX else darwin.over_memory(child.pid, limits["memoryMb"] * _MEGABYTE)
        return memory or workspace.overfull(child)

    stopped = watching.watch(
        worker.snippets,
        captures,
        limits["timeoutMs"],
        worker.requests,
        idle=worker.decoders,
        overfull=over if workspace.needs_watching else None,
    )
    wait_status, cpu_seconds = worker.snippets.end(child)
    if stopped is None and workspace.needs_watching:
        stopped = workspace.overfull(child)  # what it filled since the last look
    for capture in captures:
        capture.drain()
        os.close(capture.descriptor)
    stdout, stderr, report = captures
    return Ending(wait_status, cpu_seconds, stopped), stdout, stderr, report


def _judge(ending: Ending, limits: dict[str, int]) -> tuple[str, str | None]:
    """The outcome's status, and a line for the reader when the sandbox ended the snippet."""
    if ending.stopped == "timeout":
        return "timeout", f"stopped after {limits['timeoutMs']} ms"
    if ending.stopped is not None:
        return "killed", f"stopped: {ending.stopped}"
    code = os.waitstatus_to_exitcode(ending.wait_status)
    if code >= 0:
        return ("ok" if code == 0 else "exception"), None
    # The second is what follows for one that ignores the first.
    if -code == signal.SIGXCPU or (-code == signal.SIGKILL and ending.cpu_seconds >= limits["timeoutMs"] / 1000):
        return "timeout", f"stopped after {ending.cpu_seconds:.1f} s of CPU time"
    return "killed", f"killed by {signal.Signals(-code).name}"
