"""Images: checked on entry, patched by the checkpoint's own processor, limits as request parameters."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import pytest
from engine_support import PIXELS, image, message, png, put, record_of
from PIL import Image
from varft_engine.engine import Engine
from varft_engine.errors import VarftError
from varft_engine.images import ImageStore


def refused(engine: Engine, sha256: str, data: bytes) -> VarftError:
    with pytest.raises(VarftError) as caught:
        engine.put_image(sha256, data)
    assert engine.missing_images([sha256]) == [sha256]
    return caught.value


def test_the_hash_is_checked(engine: Engine) -> None:
    error = refused(engine, "0" * 64, png(1))
    assert error.code == "images.hash_mismatch"
    assert error.details["actual"] == hashlib.sha256(png(1)).hexdigest()


@pytest.mark.parametrize(
    "data", [b"", b"not an image", png(1)[:200], b"GIF89a"], ids=["empty", "text", "cut", "header"]
)
def test_what_cannot_be_decoded_is_refused(engine: Engine, data: bytes) -> None:
    assert refused(engine, hashlib.sha256(data).hexdigest(), data).code == "images.undecodable"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_decompression_bomb_is_refused_by_its_header(engine: Engine) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 12_000, 12_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")
    error = refused(engine, hashlib.sha256(bomb).hexdigest(), bomb)
    assert error.code == "images.too_large" and "12000x12000" in error.message


def test_missing_images_in_order_once(engine: Engine) -> None:
    known = put(engine, png(1))
    assert engine.missing_images(["b" * 64, known, "a" * 64, "b" * 64]) == ["b" * 64, "a" * 64]


def test_the_store_forgets_the_oldest() -> None:
    data = [png(seed) for seed in range(4)]
    shas = [hashlib.sha256(item).hexdigest() for item in data]
    store = ImageStore(budget_bytes=sum(map(len, data[:3])))
    for sha256, item in zip(shas[:3], data[:3], strict=True):
        store.put(sha256, item)
    store.get(shas[0])
    store.put(shas[3], data[3])
    assert store.missing(shas) == [shas[1]]


def test_pixel_limits_are_request_parameters(engine: Engine) -> None:
    messages = [message("user", image(put(engine, png(2, 128, 128))))]
    grids = {}
    for limits in (PIXELS, {"min": None, "max": 64 * 64}, {"min": 192 * 192, "max": None}):
        record = record_of(engine, messages, limits)
        grids[str(limits)] = record["images"][0]["grid"]
        assert record["processorSha256"] != engine.info()["model"]["processorSha256"] or limits == PIXELS
    assert list(grids.values()) == [[1, 16, 16], [1, 8, 8], [1, 24, 24]]
    with pytest.raises(VarftError, match="min 5000 is above max 4096") as caught:
        record_of(engine, messages, {"min": 5000, "max": 4096})
    assert caught.value.code == "engine.bad_request"


def test_an_image_that_the_processor_refuses(engine: Engine) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (1000, 2)).save(stream, "PNG")
    with pytest.raises(VarftError, match="1000x2") as caught:
        record_of(engine, [message("user", image(put(engine, stream.getvalue())))])
    assert caught.value.code == "images.unfit"
