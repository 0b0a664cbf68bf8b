"""What became of a snippet's output file: checked by the supervisor, decoded by a confined process of its own."""

import mmap
import os
import stat
from typing import Any, BinaryIO

from . import confine, decode, kernel, watching
from .workspace import Workspace

OUTPUT_NAME = "path_to_output_image.jpg"

_MEGABYTE = 1 << 20
_RESULT_BYTES = 4096
# Beyond the snippet's own deadline: what the largest allowed image takes on a slow machine. `src/sandbox/pool.ts`
# waits longer.
_EXTRA_DECODE_MS = 3000


def collect(
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
    confinement: confine.Confinement, workspace: Workspace, file: BinaryIO, limits: dict[str, int], requests: int
) -> tuple[dict[str, Any], memoryview]:
    max_pixels, deadline_ms = limits["imagePixels"], limits["timeoutMs"] + _EXTRA_DECODE_MS
    shared = mmap.mmap(-1, max_pixels * decode.BYTES_PER_PIXEL)  # pages appear only where pixels are written
    pixels = memoryview(shared)
    read_end, write_end = os.pipe()
    parent = workspace.before_fork()
    # The file's own samples (up to 4 bytes), Pillow's RGB (4 bytes a pixel), one rotated copy, and the shared result.
    memory = confinement.base_bytes + max_pixels * 16 + 64 * _MEGABYTE

    def child() -> None:
        kernel.die_with_parent(parent)
        confine.close_all_but([file.fileno(), write_end])
        confine.limit(memory_bytes=memory, cpu_seconds=-(-deadline_ms // 1000), file_bytes=0)
        confine.drop(confinement, [])
        decode.run(file, max_pixels, write_end, pixels)

    pid = watching.fork(child)
    os.close(write_end)
    os.set_blocking(read_end, False)
    result = watching.Capture(read_end, _RESULT_BYTES, bytearray())
    ending = watching.watch(pid, [result], deadline_ms, requests, lambda: None, False)
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
