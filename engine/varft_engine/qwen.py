"""Qwen2-VL and Qwen2.5-VL: three-dimensional rotary positions, and image features that are computed once per distinct
image.

transformers silently falls back to one-dimensional positions without `mm_token_type_ids`, so positions are always
given.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

from .images import ImageKey, Patches
from .vision import Vision

MODEL_TYPES = {"qwen2_vl", "qwen2_5_vl"}

TOWER_PATCHES = 4096
"""Images share a call of the vision tower up to this many patches when sampling."""

CACHED_GROUPS = 64


class QwenVision(Vision):
    """M-RoPE positions [3, P]; features reused inside a micro-batch and, when sampling, within one policy version."""

    position_rows = 3

    def __init__(self, network: PreTrainedModel, device: torch.device) -> None:
        super().__init__(network, device)
        # Older transformers has no such argument: the tower then runs for every occurrence.
        self._accepts_features = "mm_encoder_outputs" in inspect.signature(network.forward).parameters
        self._groups: OrderedDict[tuple[ImageKey, ...], list[torch.Tensor]] = OrderedDict()

    @staticmethod
    def fits(network: PreTrainedModel) -> bool:
        """True for the two model types whose features are one tensor per image."""
        return network.config.model_type in MODEL_TYPES

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

    def training_inputs(self, images: Sequence[Patches]) -> dict[str, Any]:
        """Features of each distinct image once, with gradients; [tokens, hidden] per occurrence."""
        if not images or not self._accepts_features:
            return super().training_inputs(images)
        distinct = {image.key: image for image in images}
        features = dict(zip(distinct, self._tower(list(distinct.values())), strict=True))
        return self._inputs([features[image.key] for image in images])

    @torch.no_grad()
    def sampling_inputs(self, images: Sequence[Patches]) -> dict[str, Any]:
        """Features from the cache, whose unit is a whole call of the tower.

        Rounding depends on what shares a call. With the call as the unit, a response is a function of weights and
        request, not of what was asked before: a resumed run repeats the undisturbed one bit by bit.
        """
        if not images or not self._accepts_features:
            return super().training_inputs(images)
        distinct = {image.key: image for image in images}
        features: dict[ImageKey, torch.Tensor] = {}
        for group in _groups(list(distinct.values())):
            key = tuple(image.key for image in group)
            if key not in self._groups:
                self._groups[key] = self._tower(group)
                if len(self._groups) > CACHED_GROUPS:
                    self._groups.popitem(last=False)
            features.update(zip(key, self._groups[key], strict=True))
        return self._inputs([features[image.key] for image in images])

    def forget(self) -> None:
        self._groups.clear()

    def _tower(self, images: Sequence[Patches]) -> list[torch.Tensor]:
        inputs = super().training_inputs(images)
        return list(
            self.network.model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"]).pooler_output
        )

    def _inputs(self, features: list[torch.Tensor]) -> dict[str, Any]:
        return {"mm_encoder_outputs": {"image": BaseModelOutputWithPooling(pooler_output=features)}}


def _groups(images: Sequence[Patches]) -> list[list[Patches]]:
    """Consecutive images up to `TOWER_PATCHES` patches; a larger one goes alone."""
    groups: list[list[Patches]] = []
    size = 0
    for image in images:
        patches = image.grid[0] * image.grid[1] * image.grid[2]
        if not groups or size + patches > TOWER_PATCHES:
            groups.append([])
            size = 0
        groups[-1].append(image)
        size += patches
    return groups
