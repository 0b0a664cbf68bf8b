"""Importance correction between the sampler's policy and the trainer's: the two may compute different probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from .ratio import of_sequence


class Correction(NamedTuple):
    """Constants: no gradient flows through them."""

    weight: torch.Tensor
    """float32 [M], multiplies the surrogate."""
    corrected: torch.Tensor
    """bool [M]: the limit has acted."""
    kept: torch.Tensor
    """bool [M]: False where the whole sequence is dropped."""


def correction(gap: torch.Tensor, lengths: Sequence[int], parameters: dict[str, Any]) -> Correction:
    """Weights from gap = old - sampler, float32 [M] nats, completion after completion.

    `truncate`: min(exp(gap), limit) by token (truncated importance sampling). `drop`: 1, or 0 for every token of a
    completion whose exp(sum_t gap) leaves [1/limit, limit].
    """
    gap = gap.detach()
    limit = parameters["limit"]
    if parameters["mode"] == "truncate":
        weight = torch.exp(gap)
        return Correction(weight.clamp(max=limit), weight > limit, torch.ones_like(gap, dtype=torch.bool))
    # Compared as logarithms: the exponential of a long completion's sum overflows.
    kept = of_sequence(gap, lengths, torch.sum).abs() <= math.log(limit)
    return Correction(kept.float(), ~kept, kept)
