"""Qwen2-VL and Qwen2.5-VL: image features are computed once per distinct image and then shared."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling

from .cache import Cache
from .images import ImageKey, Patches
from .rope import RopeVision

MODEL_TYPES = {"qwen2_vl", "qwen2_5_vl"}

TOWER_PATCHES = 4096
"""Images share a call of the vision tower up to this many patches when sampling."""

FEATURE_BYTES = 1 << 30
"""Memory of remembered features."""


class QwenVision(RopeVision):
    """Features reused inside a micro-batch and, when sampling, within one policy version."""

    def __init__(self, network: PreTrainedModel, device: torch.device) -> None:
        super().__init__(network, device)
        # Older transformers has no such argument: the tower then runs for every occurrence.
        self._accepts_features = "mm_encoder_outputs" in inspect.signature(network.forward).parameters
        self._groups: Cache[tuple[ImageKey, ...], list[torch.Tensor]] = Cache(
            FEATURE_BYTES, lambda features: sum(tensor.nbytes for tensor in features)
        )

    @staticmethod
    def fits(network: PreTrainedModel) -> bool:
        """True for the two model types whose features are one tensor per image."""
        return network.config.model_type in MODEL_TYPES

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
            features.update(zip(key, self._groups.get(key, partial(self._tower, group)), strict=True))
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
