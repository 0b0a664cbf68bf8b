"""How images enter the network and which positions tokens get: the path that fits every checkpoint.

A family that can do better (reuse image features, rotary positions in three dimensions) overrides this class in its own
module.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from .images import Patches


class Vision:
    """Images as the processor's tensors, positions 0, 1, 2, ..."""

    position_rows = 1
    """R: rows of a position id."""

    def __init__(self, network: PreTrainedModel, device: torch.device) -> None:
        self.network = network
        self.device = device

    @staticmethod
    def fits(network: PreTrainedModel) -> bool:
        """True when nothing but ids, images and a causal mask decides the network's output."""
        special = {"token_type_ids", "mm_token_type_ids"} & set(inspect.signature(network.forward).parameters)
        return not special and not hasattr(network.base_model, "get_rope_index")

    def prompt_positions(self, ids: np.ndarray, image_mask: np.ndarray, images: Sequence[Patches]) -> torch.Tensor:
        """Positions int64 [R, P] of a prompt: ids int32 [P], image_mask bool [P] true inside image runs."""
        return torch.arange(len(ids))[None]

    def position_ids(self, positions: torch.Tensor) -> torch.Tensor:
        """The network's argument from positions [R, B, L]."""
        return positions[0]

    def training_inputs(self, images: Sequence[Patches]) -> dict[str, Any]:
        """Arguments for `images` in order of their tokens, rows one after the other.

        Gradients reach the vision tower.
        """
        if not images:
            return {}
        names = images[0].tensors
        return {name: torch.cat([image.tensors[name] for image in images]).to(self.device) for name in names}

    def sampling_inputs(self, images: Sequence[Patches]) -> dict[str, Any]:
        """The same without gradients; a family may reuse image features until `forget` is called."""
        return self.training_inputs(images)

    def parameters(self) -> int:
        """Number of parameters that patches go through; 0 where the family does not tell the tower apart."""
        tower = getattr(self.network.base_model, "visual", None) or getattr(
            self.network.base_model, "vision_tower", None
        )
        return 0 if tower is None else sum(weight.numel() for weight in tower.parameters())

    def forget(self) -> None:
        """The weights have changed: whatever was computed from them is stale."""
