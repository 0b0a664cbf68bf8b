"""The confined process that runs one snippet: compile, execute, report. Nothing it says is trusted."""

import contextlib
import fcntl
import io
import linecache
import os
import random
import socket
import sys
import traceback
import types
from typing import Any

from . import confine, framing, heap, warming
from .workspace import Workspace
from .zygote import Task

FILE_NAME = "<snippet>"
REPORT_FD = 3
"""Where the exception's line goes. The snippet can write it too, and forges nothing but its own message."""
_MAX_REPORT = 4096
_MEGABYTE = 1 << 20
_SEED = 0
_FILES = (io.BufferedWriter, io.BufferedRandom, io.TextIOWrapper)
_DROPPED: list[types.ModuleType] = []


def prepare(confinement: confine.Confinement, workspace: Workspace, thorough: bool) -> tuple[int, Task]:
    """For a zygote: warms it up, `thorough` by all that snippets commonly use; the address space in use, and what each
    fork does."""
    warming.import_libraries(thorough)
    if thorough:
        warming.use_libraries()
    _forget_the_worker(workspace.path)
    _fresh_streams()
    base_bytes = confine.address_space_in_use(apart_from=heap.grow())

    def task(channel: socket.socket) -> None:
        workspace.enter_ahead()
        header, pipes = framing.receive_order(channel, 3)
        source = bytes(framing.read_exactly(channel.fileno(), header["sourceBytes"]))
        workspace.enter(header["diskBytes"])
        folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        framing.send_descriptor(channel, folder)
        framing.read_exactly(channel.fileno(), len(framing.GO))
        null = os.open("/dev/null", os.O_RDONLY)
        for target, descriptor in zip((0, 1, 2, REPORT_FD), _out_of_the_way([null, *pipes]), strict=True):
            os.dup2(descriptor, target)
        confine.close_all_but([0, 1, 2, REPORT_FD])
        limits = header["limits"]
        confine.limit(
            memory_bytes=base_bytes + limits["memoryMb"] * _MEGABYTE,
            cpu_seconds=-(-limits["timeoutMs"] // 1000),
            file_bytes=limits["diskMb"] * _MEGABYTE,
        )
        confine.drop(confinement, [workspace.path])
        _run(source)

    return base_bytes, task


def _out_of_the_way(descriptors: list[int]) -> list[int]:
    """The same, duplicated above the numbers that they are about to take."""
    return [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 16) for descriptor in descriptors]


def _run(source: bytes) -> None:
    """Runs `source` (UTF-8, hostile) as `__main__` and ends the process: 0 ok, 1 raised. Never returns."""
    code = 1
    try:
        _seed()
        code = _execute(source)
    except BaseException as error:  # noqa: BLE001 - hostile code may raise anything, also while it is being reported
        _report(type(error).__name__)
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _execute(source: bytes) -> int:
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    try:
        text = source.decode("utf-8", "replace")
        linecache.cache[FILE_NAME] = (len(text), None, text.splitlines(keepends=True), FILE_NAME)
        exec(compile(text, FILE_NAME, "exec"), main.__dict__)  # noqa: S102 - this is the process made for it
    except SystemExit as exit_:
        if exit_.code is None or exit_.code == 0:
            return 0
        if isinstance(exit_.code, str):
            print(exit_.code, file=sys.stderr)
        _report(f"SystemExit: {exit_.code}")
    except BaseException as error:  # noqa: BLE001
        _explain(error)
    else:
        return 0
    finally:
        _flush_files(main.__dict__)
    return 1


def _flush_files(names: dict[str, Any]) -> None:
    """Of the files that a script leaves open under its own names, as the end of an interpreter does; no code of the
    snippet waits for the end."""
    for value in tuple(names.values()):
        if type(value) in _FILES:
            with contextlib.suppress(BaseException):  # closed, opened to read, no room
                value.flush()


def _explain(error: BaseException) -> None:
    """The traceback to stderr, without the frames of this file; its last line as the report."""
    try:
        described = traceback.TracebackException.from_exception(error, limit=None)
        _only_own_frames(described)
        lines = list(described.format())
        described.__notes__ = None
        report = list(described.format_exception_only())[-1]
        sys.stderr.write("".join(lines))
    except BaseException:  # noqa: BLE001 - deep recursion, poisoned modules
        report = type(error).__name__
    _report(report)


def _only_own_frames(described: traceback.TracebackException) -> None:
    own = [frame for frame in described.stack if frame.filename == FILE_NAME]
    described.stack = traceback.StackSummary.from_list(own)
    for linked in (described.__cause__, described.__context__, *(described.exceptions or ())):
        if linked is not None:
            _only_own_frames(linked)


def _report(line: str) -> None:
    first = (line.strip().splitlines() or [""])[0]
    os.write(REPORT_FD, first.encode("utf-8", "backslashreplace")[:_MAX_REPORT])


def _fresh_streams() -> None:
    """The warm interpreter's streams belong to the worker; the snippet gets its own, which never fail on odd text."""
    sys.stdin = io.TextIOWrapper(io.FileIO(0, "r", closefd=False), encoding="utf-8")
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        raw = io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False))
        stream = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _forget_the_worker(home: str) -> None:
    """Leaves what an ordinary script would find: no module or path of ours, a small environment."""
    package = __name__.partition(".")[0]
    program = os.path.dirname(os.path.dirname(__file__))
    ours = [name for name in sys.modules if name.partition(".")[0] == package]
    # Kept alive by nothing but this list, and that suffices: taking a module apart costs more than all the rest here.
    _DROPPED.extend(sys.modules.pop(name) for name in ours)
    sys.path[:] = ["", *(path for path in sys.path if path != program)]
    sys.argv[:] = [FILE_NAME]
    threads = {name: "1" for name in os.environ if name.endswith("_NUM_THREADS")}
    os.environ.clear()
    os.environ.update({"HOME": home, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", **threads})


def _seed() -> None:
    import cv2
    import numpy

    random.seed(_SEED)
    numpy.random.seed(_SEED)
    cv2.setRNGSeed(_SEED)
