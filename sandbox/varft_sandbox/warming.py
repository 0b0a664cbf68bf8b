"""Warms an interpreter up: imports what snippets import and uses it once, so that every fork finds it done.

What a library sets up at its first use (tables, registries, dispatch to the processor's instructions) would otherwise
be set up again in every single snippet, at a fifth of its time.
"""

import importlib
import io

_ALWAYS = ["cv2", "numpy.random", "PIL.Image"]
_THOROUGHLY = """
    numpy.linalg numpy.fft PIL.ImageOps PIL.ImageEnhance PIL.ImageFilter PIL.ImageDraw PIL.ImageFont PIL.ImageChops
    PIL.ImageStat colorsys math random json re time itertools functools collections datetime io base64 shutil tempfile
    pathlib glob copy string traceback
""".split()
_SIDE = 64


def import_libraries(thorough: bool) -> None:
    for name in _ALWAYS + (_THOROUGHLY if thorough else []):
        importlib.import_module(name)
    import cv2
    from PIL import Image

    cv2.setNumThreads(1)
    Image.preinit()


def use_libraries() -> None:
    """What most snippets do, once, on a tiny image."""
    import cv2
    import numpy
    from PIL import Image, ImageEnhance

    pixels = (numpy.arange(_SIDE * _SIDE * 3) % 251).astype(numpy.uint8).reshape(_SIDE, _SIDE, 3)
    for extension in (".png", ".jpg"):
        _, encoded = cv2.imencode(extension, pixels)
        cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        Image.open(io.BytesIO(encoded.tobytes())).load()
    cv2.equalizeHist(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))
    cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)
    cv2.resize(pixels, (_SIDE // 2, _SIDE // 2))
    cv2.warpAffine(pixels, cv2.getRotationMatrix2D((_SIDE / 2, _SIDE / 2), 45, 1.0), (_SIDE, _SIDE))
    cv2.convertScaleAbs(pixels, alpha=1.2, beta=10)
    cv2.GaussianBlur(pixels, (3, 3), 0)
    image = Image.fromarray(pixels)
    image.rotate(45).resize((_SIDE, _SIDE)).convert("L")
    ImageEnhance.Brightness(image).enhance(1.2)


def use_decoder() -> None:
    """The same for a process that decodes images."""
    from PIL import Image

    for kind in ("PNG", "JPEG"):
        file = io.BytesIO()
        Image.new("RGB", (_SIDE, _SIDE), "gray").save(file, kind)
        Image.open(file).convert("RGB").load()
