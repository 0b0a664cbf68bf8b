"""Frames on the worker's pipes: `u32 header length (LE), JSON header, payloads` whose sizes the header names.

Host to worker, each preceded by one tag byte: `R` + frame (a request), or `C` alone (cancel; ignored when nothing
runs). Worker to host: plain frames; the first announces the warm worker, then one per request. The same layout is
written down in `src/sandbox/frames.ts`.
"""

import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

REQUEST, CANCEL = b"R", b"C"
SNIPPET, DECODE = b"S", b"D"
"""Supervisor to a process forked ahead: what it is to be."""
FOLDER, GO = b"F", b"G"
"""Snippet to supervisor: its folder; supervisor to snippet: the input lies there."""
PIXELS_LINE_BYTES = 512
"""Decoder to supervisor: of the line that precedes the pixels, padded with spaces; written at once, so it arrives in
one piece."""
BYTES_PER_PIXEL = 3
_MAX_HEADER_BYTES = 65536
# Fits the processor's cache, and the same few pages serve a payload of any size.
_COPY_BYTES = 65536


class Disconnected(Exception):
    """The host closed the pipe or died."""


def read_exactly(descriptor: int, size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = os.readv(descriptor, [view[done:]])
        if count == 0:
            raise Disconnected
        done += count
    return data


def copy_exactly(source: int, target: int, size: int) -> None:
    """Moves `size` bytes from one descriptor to another without ever holding more than a few."""
    buffer = memoryview(bytearray(min(size, _COPY_BYTES)))
    while size > 0:
        count = os.readv(source, [buffer[:size]])
        if count == 0:
            raise Disconnected
        write_exactly(target, buffer[:count])
        size -= count


def write_exactly(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_header(descriptor: int) -> dict[str, Any]:
    (size,) = struct.unpack("<I", read_exactly(descriptor, 4))
    if size > _MAX_HEADER_BYTES:
        raise ValueError(f"frame header of {size} bytes, at most {_MAX_HEADER_BYTES}")
    return json.loads(read_exactly(descriptor, size))


def write_frame(
    descriptor: int, header: dict[str, Any], payloads: Sequence[bytes | bytearray | memoryview] = ()
) -> None:
    encoded = json.dumps(header).encode()
    write_exactly(descriptor, b"".join((struct.pack("<I", len(encoded)), encoded, *payloads)))


def send_order(
    channel: socket.socket, kind: bytes, header: dict[str, Any], payload: bytes, descriptors: list[int]
) -> None:
    """The supervisor's order to a process forked ahead: a tag byte, descriptors with it, a frame. Raises `Disconnected`
    when that process has died."""
    try:
        socket.send_fds(channel, [kind], descriptors)
        write_frame(channel.fileno(), header, (payload,))
    except BrokenPipeError:
        raise Disconnected from None


def kind_of_order(channel: socket.socket) -> bytes:
    """The tag of the order that comes next, which is left to be received."""
    return channel.recv(1, socket.MSG_PEEK)


def receive_order(channel: socket.socket, count: int) -> tuple[dict[str, Any], list[int]]:
    """The header and `count` descriptors of an order; its payload is left to be read."""
    descriptors = receive_descriptors(channel, count)
    return read_header(channel.fileno()), descriptors


def send_descriptor(channel: socket.socket, descriptor: int) -> None:
    socket.send_fds(channel, [FOLDER], [descriptor])


def receive_descriptors(channel: socket.socket, count: int) -> list[int]:
    data, descriptors, _, _ = socket.recv_fds(channel, 1, count)
    if not data or len(descriptors) != count:
        raise Disconnected
    return descriptors
