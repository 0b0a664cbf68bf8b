"""Counter-based noise: token t of the completion with key k always gets the same uniform number, whatever shares its
batch.
"""

from __future__ import annotations

import hashlib

import numpy as np

BLOCK = 8
"""Tokens served by one hash."""


def uniforms(key: str, block: int) -> np.ndarray:
    """u[j] for tokens t = BLOCK * block + j: float64 [BLOCK] in [0, 1), 53 bits each.

    u = (blake2b(key, block)[8 j : 8 j + 8] >> 11) / 2**53, big-endian; `key` is 16 hex digits.
    """
    counter = block.to_bytes(8, "big")
    digest = hashlib.blake2b(bytes.fromhex(key) + counter, digest_size=64, person=b"varft.noise.1").digest()
    return (np.frombuffer(digest, dtype=">u8") >> np.uint64(11)).astype(np.float64) * 2.0**-53
