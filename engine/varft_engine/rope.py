"""Rotary positions in three dimensions (time, height, width), for every family whose network computes them from image
grids.

transformers silently falls back to one dimension without `mm_token_type_ids`, so positions are always given.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from .images import Patches
from .vision import Vision

REQUIRED = {"input_ids", "mm_token_type_ids", "image_grid_thw"}


class RopeVision(Vision):
    """Images as the processor's tensors, M-RoPE positions [3, P]."""

    position_rows = 3

    @staticmethod
    def fits(network: PreTrainedModel) -> bool:
        """True when the network computes positions from what the worker knows."""
        compute = getattr(getattr(network, "model", None), "get_rope_index", None)
        return compute is not None and set(inspect.signature(compute).parameters) >= REQUIRED

    def prompt_positions(self, ids: np.ndarray, image_mask: np.ndarray, images: Sequence[Patches]) -> torch.Tensor:
        """int64 [3, P]: time, height, width."""
        grids = torch.cat([image.tensors["image_grid_thw"] for image in images]) if images else None
        positions, _ = self.network.model.get_rope_index(
            input_ids=torch.from_numpy(ids.astype(np.int64))[None],
            mm_token_type_ids=torch.from_numpy(image_mask.astype(np.int32))[None],
            image_grid_thw=grids,
        )
        return positions[:, 0]

    def position_ids(self, positions: torch.Tensor) -> torch.Tensor:
        """[3, B, L]; never four rows, which without a mask transformers reads as packed sequences."""
        return positions
