"""Images: bytes kept by sha256, decoded, and turned into the processor's patches.

Raw bytes are kept up to a budget and forgotten oldest first: the client uploads again on `images.missing`.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from .cache import Cache
from .errors import VarftError

MAX_IMAGE_PIXELS = 100_000_000

TEXT_OUTPUTS = {"input_ids", "attention_mask", "mm_token_type_ids", "token_type_ids"}


class ImageStore:
    """Encoded images by sha256, at most `budget_bytes` of them."""

    def __init__(self, budget_bytes: int = 2 << 30) -> None:
        self._budget = budget_bytes
        self._size = 0
        self._data: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, sha256: str, data: bytes) -> None:
        """Keeps `data` after checking its hash and decoding it.

        Raises `images.hash_mismatch`, `images.undecodable`, `images.too_large`.
        """
        actual = hashlib.sha256(data).hexdigest()
        if actual != sha256:
            raise VarftError(
                "images.hash_mismatch",
                f"the bytes sent as image {sha256} have sha256 {actual}",
                hint="Upload the file again.",
                details={"expected": sha256, "actual": actual, "bytes": len(data)},
            )
        decode(data, sha256)
        with self._lock:
            if sha256 not in self._data:
                self._data[sha256] = data
                self._size += len(data)
            while self._size > self._budget and len(self._data) > 1:
                _, dropped = self._data.popitem(last=False)
                self._size -= len(dropped)

    def missing(self, sha256s: Sequence[str]) -> list[str]:
        """Those of `sha256s` that are not here, each once, in order."""
        with self._lock:
            return [sha256 for sha256 in dict.fromkeys(sha256s) if sha256 not in self._data]

    def get(self, sha256: str) -> Image.Image:
        """The decoded image, RGB. Raises `images.missing`."""
        with self._lock:
            data = self._data.get(sha256)
            if data is not None:
                self._data.move_to_end(sha256)
        if data is None:
            raise VarftError(
                "images.missing",
                f"image {sha256} is not in the worker",
                hint="PUT it to /v1/images/{sha256} and send the request again.",
                details={"missing": [sha256]},
                retryable=True,
            )
        return decode(data, sha256)


def decode(data: bytes, name: str) -> Image.Image:
    """Bytes to an RGB image. The size is checked from the header, before anything is unpacked."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_IMAGE_PIXELS:
                raise VarftError(
                    "images.too_large",
                    f"image {name} is {image.width}x{image.height}, the limit is {MAX_IMAGE_PIXELS} pixels",
                    hint="Shrink the image before the run.",
                )
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise VarftError(
            "images.undecodable",
            f"image {name} ({len(data)} bytes) cannot be decoded: {error}",
            hint="Send a PNG or JPEG.",
        ) from error


ImageKey = tuple[str, tuple[int, int, int]]


@dataclass(frozen=True)
class Patches:
    """One image as the checkpoint's processor sees it."""

    sha256: str
    grid: tuple[int, int, int]
    """Temporal, height, width in patches."""
    token_ids: np.ndarray
    """int32 [n]: what one image token of the template becomes."""
    tensors: dict[str, torch.Tensor]
    """The network's image inputs, for example pixel_values [patches, values] and image_grid_thw [1, 3]."""

    @property
    def nbytes(self) -> int:
        """Memory of the tensors."""
        return sum(tensor.nbytes for tensor in self.tensors.values())

    @property
    def key(self) -> ImageKey:
        """sha256 and grid: equal for equal patches."""
        return (self.sha256, self.grid)


@dataclass(frozen=True)
class PixelLimits:
    """Limits on pixels after resizing; None means the checkpoint's own."""

    min: int | None
    max: int | None


class Patcher:
    """The processor with a cache: one call per distinct image and limits."""

    def __init__(self, processor: Any, store: ImageStore, budget_bytes: int = 1 << 30) -> None:
        self._processor = processor
        self._store = store
        self._cache: Cache[tuple[str, PixelLimits], Patches] = Cache(budget_bytes, lambda patches: patches.nbytes)

    def settings_sha256(self, limits: PixelLimits) -> str:
        """sha256 of the image processor's settings, the limits applied."""
        settings = json.loads(self._processor.image_processor.to_json_string())
        settings.update(self._size(limits))
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def patches(self, sha256: str, limits: PixelLimits) -> Patches:
        """The image's patches and token ids. Raises `images.missing`, `images.unfit`."""
        return self._cache.get((sha256, limits), lambda: self._process(sha256, limits))

    def _process(self, sha256: str, limits: PixelLimits) -> Patches:
        image = self._store.get(sha256)
        try:
            outputs = self._processor(
                text=[self._processor.image_token],
                images=[image],
                images_kwargs=self._size(limits),
                text_kwargs={"add_special_tokens": False},
                return_tensors="pt",
            )
        except ValueError as error:
            raise VarftError(
                "images.unfit",
                f"the checkpoint's processor refuses image {sha256} ({image.width}x{image.height}): {error}",
                hint="Crop or pad the image before the run.",
            ) from error
        token_ids = outputs["input_ids"][0].numpy().astype(np.int32)
        tensors = {name: value for name, value in outputs.items() if name not in TEXT_OUTPUTS}
        grid = tensors["image_grid_thw"][0].tolist() if "image_grid_thw" in tensors else [1, 1, len(token_ids)]
        return Patches(sha256, (grid[0], grid[1], grid[2]), token_ids, tensors)

    def _size(self, limits: PixelLimits) -> dict[str, Any]:
        """The processor's `size` argument, {} for the checkpoint's own.

        Raises `engine.pixels_unsupported`, `engine.bad_request`.
        """
        if limits.min is None and limits.max is None:
            return {}
        own = self._processor.image_processor.size
        if not own or own.get("shortest_edge") is None or own.get("longest_edge") is None:
            raise VarftError(
                "engine.pixels_unsupported",
                f"pixels: this checkpoint's processor has no pixel limits (its size is {own})",
                hint="Set pixels.min and pixels.max to null.",
            )
        low = own["shortest_edge"] if limits.min is None else limits.min
        high = own["longest_edge"] if limits.max is None else limits.max
        if low > high:
            raise VarftError(
                "engine.bad_request",
                f"pixels: min {low} is above max {high}",
                hint="Lower pixels.min or raise pixels.max.",
            )
        return {"size": {"shortest_edge": low, "longest_edge": high}}
