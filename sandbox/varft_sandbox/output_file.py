"""What became of a snippet's output file: checked by the supervisor, decoded by a confined process of its own."""

import os
import stat
from collections.abc import Callable
from typing import Any

from . import framing, watching
from .zygote import Zygote

INPUT_NAME = "path_to_input_image.jpg"
OUTPUT_NAME = "path_to_output_image.jpg"

_MEGABYTE = 1 << 20
_FILES_NAMED = 5
_NAME_CHARACTERS = 80
# Beyond what the snippet has left of its time: what the largest allowed image takes on a slow machine.
_EXTRA_DECODE_MS = 3000


def collect(
    decoders: Zygote,
    idle: Zygote,
    folder: int,
    limits: dict[str, int],
    left_ms: int,
    requests: int,
    responses: int,
    respond: Callable[[dict[str, Any], int], None],
) -> None:
    """Calls `respond` once, with the response's `output` and the size of its pixels, which then follow on
    `responses`. Decoding may take what the snippet has left of its time, `left_ms`, and a bit more."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(OUTPUT_NAME, flags, dir_fd=folder)
    except FileNotFoundError:
        return respond({"kind": "none", **_other_files(folder)}, 0)
    except OSError as error:
        return respond(_refused(f"the output cannot be opened as a file: {error.strerror}"), 0)
    reason = _unfit(os.fstat(descriptor), limits)
    if reason is not None:
        os.close(descriptor)
        return respond(_refused(reason), 0)
    deadline_ms = left_ms + _EXTRA_DECODE_MS
    _decode(decoders, idle, descriptor, limits["imagePixels"], deadline_ms, requests, responses, respond)


def _unfit(status: os.stat_result, limits: dict[str, int]) -> str | None:
    """Why a file is not even given to the decoder, or None."""
    if not stat.S_ISREG(status.st_mode):
        return "the output is not a regular file"
    if status.st_size == 0:
        return "the output file is empty"
    if status.st_size > limits["diskMb"] * _MEGABYTE:
        return f"the output file has {status.st_size} bytes"
    return None


def _decode(
    decoders: Zygote,
    idle: Zygote,
    file: int,
    max_pixels: int,
    deadline_ms: int,
    requests: int,
    responses: int,
    respond: Callable[[dict[str, Any], int], None],
) -> None:
    child = decoders.take()
    read_end, write_end = os.pipe()
    order = {"maxPixels": max_pixels, "deadlineMs": deadline_ms}
    framing.send_order(child.channel, framing.DECODE, order, b"", [file, write_end])
    os.close(file)
    os.close(write_end)
    os.set_blocking(read_end, False)
    line = watching.Capture(read_end, framing.PIXELS_LINE_BYTES, bytearray(), chunk_bytes=framing.PIXELS_LINE_BYTES)
    stopped = watching.watch(decoders, [line], deadline_ms, requests, idle=idle, enough=lambda: len(line.kept) > 0)
    text = bytes(line.kept).decode("utf-8", "replace").strip()
    size = None if stopped is not None else _announced(text, max_pixels)
    if stopped is not None:
        respond(_refused(f"decoding the output was stopped: {stopped}"), 0)
    elif size is None:
        respond(_refused(text or "the decoder was killed"), 0)
    else:
        width, height = size
        count = width * height * framing.BYTES_PER_PIXEL
        os.set_blocking(read_end, True)
        respond({"kind": "image", "width": width, "height": height}, count)
        # A decoder that gives fewer has left half a frame behind: `Disconnected` ends this worker.
        framing.copy_exactly(read_end, responses, count)
    decoders.end(child)
    os.close(read_end)


def _announced(line: str, max_pixels: int) -> tuple[int, int] | None:
    """Width and height from the decoder's `image W H`; None for anything else."""
    words = line.split(" ")
    if len(words) != 3 or words[0] != "image" or not (words[1].isdecimal() and words[2].isdecimal()):
        return None
    width, height = int(words[1]), int(words[2])
    return (width, height) if 0 < width * height <= max_pixels else None


def _other_files(folder: int) -> dict[str, list[str]]:
    """What else lies in the working folder: printable names, the first few of them."""
    try:
        names = sorted(name for name in os.listdir(folder) if name != INPUT_NAME)
    except OSError:
        return {}  # the snippet made its own folder unreadable
    shown = [(name if name.isprintable() else ascii(name))[:_NAME_CHARACTERS] for name in names[:_FILES_NAMED]]
    if len(names) > len(shown):
        shown.append(f"{len(names) - len(shown)} more")
    return {"files": shown} if shown else {}


def _refused(reason: str) -> dict[str, Any]:
    return {"kind": "refused", "reason": reason}
