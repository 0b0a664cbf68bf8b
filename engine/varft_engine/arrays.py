"""Per-token arrays as base64 of little-endian bytes, as in `src/core/arrays.ts`: int32 token ids, float32 numbers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import numpy as np

from .errors import VarftError


def encode_int32(values: Sequence[int] | np.ndarray) -> str:
    """Token ids [T] to base64. `encode_int32([1, 2]) == "AQAAAAIAAAA="`"""
    return base64.b64encode(np.asarray(values, dtype="<i4").tobytes()).decode("ascii")


def encode_float32(values: Sequence[float] | np.ndarray) -> str:
    """Floats [T] to base64 (rounded to nearest float32)."""
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode("ascii")


def decode_int32(text: str, where: str) -> np.ndarray:
    """Base64 to int32 [T]; `where` names the field in errors. Raises `engine.bad_request`."""
    return np.frombuffer(_decode(text, where), dtype="<i4")


def decode_float32(text: str, where: str) -> np.ndarray:
    """Base64 to float32 [T]; `where` names the field in errors. Raises `engine.bad_request`."""
    return np.frombuffer(_decode(text, where), dtype="<f4")


def _decode(text: str, where: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VarftError("engine.bad_request", f"{where}: not base64 ({error})") from error
    if len(data) % 4 != 0:
        raise VarftError("engine.bad_request", f"{where}: expected a multiple of 4 bytes, got {len(data)}")
    return data
