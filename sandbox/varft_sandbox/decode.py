"""The confined process that decodes what a snippet wrote, so that the host only ever sees raw pixels."""

import os
from collections.abc import Callable
from typing import BinaryIO

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF", "PPM")
BYTES_PER_PIXEL = 3
# Small enough for the allocator to hand out the same memory again: a fresh page costs more than the copy.
_STRIP_PIXELS = 1 << 15


class Refused(Exception):
    """The file is no image we accept; the message says why."""


def decode(file: BinaryIO, max_pixels: int, announce: Callable[[int, int], None], pixels: memoryview) -> None:
    """Decodes the first frame to RGB8 with EXIF orientation applied, row by row into `pixels` [height * width * 3].

    Alpha is dropped, 16-bit samples keep their high byte. Calls `announce(width, height)` once the size is known and
    allowed.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

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
    if image.mode != "RGB":
        image = image.convert("RGB")
    width, height = image.size
    announce(width, height)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height))).tobytes()
        start = top * width * BYTES_PER_PIXEL
        pixels[start : start + len(strip)] = strip


def run(file: BinaryIO, max_pixels: int, result: int, pixels: memoryview) -> None:
    """Decodes and ends the process, after one line on `result`: `image W H`, or the reason for refusing. Never
    returns."""
    line = "the decoder failed"
    try:
        size: list[int] = []
        decode(file, max_pixels, lambda width, height: size.extend((width, height)), pixels)
        line = f"image {size[0]} {size[1]}"
    except Refused as refusal:
        line = str(refusal)
    except MemoryError:
        line = "decoding needs more memory than its limit"
    except BaseException as error:  # noqa: BLE001 - Pillow raises many kinds for damaged files
        line = f"cannot be decoded: {type(error).__name__}: {error}"
    finally:
        os.write(result, line.encode("utf-8", "replace")[:512])
        os._exit(0)
