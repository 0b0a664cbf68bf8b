"""The confined process that decodes what a snippet wrote, so that the host only ever sees raw pixels."""

import os
import socket
from typing import BinaryIO

from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401

from . import confine, framing, heap, warming
from .zygote import Task

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF", "PPM")
# Small enough for the allocator to hand out the same memory again: a fresh page costs more than the copy.
_STRIP_PIXELS = 1 << 18
_MEGABYTE = 1 << 20


def prepare(confinement: confine.Confinement, thorough: bool) -> tuple[int, Task]:
    """For a zygote: warms it up, `thorough` by decoding something; the address space in use, and what each fork
    does."""
    Image.preinit()
    if thorough:
        warming.use_decoder()
    base_bytes = confine.address_space_in_use(apart_from=heap.grow())

    def task(channel: socket.socket) -> None:
        header, (descriptor, result) = framing.receive_order(channel, 2)
        confine.close_all_but([descriptor, result])
        # A pixel: the file's own samples (up to 4 bytes), Pillow's RGB (4), one copy of each while it is converted.
        memory = base_bytes + header["maxPixels"] * 16 + 64 * _MEGABYTE
        confine.limit(memory_bytes=memory, cpu_seconds=-(-header["deadlineMs"] // 1000), file_bytes=0)
        confine.drop(confinement, [])
        _run(open(descriptor, "rb"), header["maxPixels"], result)

    return base_bytes, task


class Refused(Exception):
    """The file is no image we accept; the message says why."""


def decode(file: BinaryIO, max_pixels: int) -> Image.Image:
    """The file's first frame as RGB8 with EXIF orientation applied, whole in memory.

    Transparency is put on white, as everywhere; 16-bit samples keep their high byte. Raises `Refused` for what is no
    image of at most `max_pixels`.
    """
    Image.MAX_IMAGE_PIXELS = None  # the cap below replaces Pillow's
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise Refused(f"not an image in one of {', '.join(FORMATS)}") from None
    width, height = image.size
    if width * height > max_pixels:
        raise Refused(f"{width}x{height} is {width * height} pixels, at most {max_pixels}")
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):
        # 16-bit samples, which Pillow would clip at 255 instead of scaling.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    elif image.mode != "RGB":
        image = image.convert("RGB")
    image.load()
    return image


def _run(file: BinaryIO, max_pixels: int, result: int) -> None:
    """Decodes and ends the process. Writes one line of `framing.PIXELS_LINE_BYTES` on `result`: `image W H`, followed
    by the pixels [H * W * 3], row by row; or the reason for refusing. Never returns."""
    line = "the decoder failed"
    image = None
    try:
        image = decode(file, max_pixels)
        line = f"image {image.width} {image.height}"
    except Refused as refusal:
        line = str(refusal)
    except MemoryError:
        line = "decoding needs more memory than its limit"
    except BaseException as error:  # noqa: BLE001 - Pillow raises many kinds for damaged files
        line = f"cannot be decoded: {type(error).__name__}: {error}"
    finally:
        try:
            os.write(
                result, line.encode("utf-8", "replace")[: framing.PIXELS_LINE_BYTES].ljust(framing.PIXELS_LINE_BYTES)
            )
            if image is not None:
                _write_pixels(image, result)
        finally:
            os._exit(0)


def _write_pixels(image: Image.Image, result: int) -> None:
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        framing.write_exactly(result, strip.tobytes())
