"""Surrogates of the policy gradient: ratio and advantage -> loss, and where a limit has acted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Surrogate = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]], tuple[torch.Tensor, torch.Tensor]]
"""(ratio [M], advantages [M], logp [M], parameters) -> (loss float32 [M], clipped bool [M])."""


def clipped_ratio(
    ratio: torch.Tensor, advantages: torch.Tensor, logp: torch.Tensor, parameters: dict[str, Any]
) -> tuple[torch.Tensor, torch.Tensor]:
    """loss = -min(r A, clip(r, 1 - clipLow, 1 + clipHigh) A)  (PPO, arXiv 1707.06347); a null limit does not act.

    With `dualClip` c, where A < 0: loss = min(loss, -c A)  (arXiv 1912.09729).
    """
    low = -torch.inf if parameters["clipLow"] is None else 1 - parameters["clipLow"]
    high = torch.inf if parameters["clipHigh"] is None else 1 + parameters["clipHigh"]
    loss = -torch.minimum(ratio * advantages, ratio.clamp(low, high) * advantages)
    clipped = ((ratio > high) & (advantages > 0)) | ((ratio < low) & (advantages < 0))
    if parameters["dualClip"] is not None:
        ceiling = -parameters["dualClip"] * advantages
        clipped = clipped | ((advantages < 0) & (loss > ceiling))
        loss = torch.where(advantages < 0, torch.minimum(loss, ceiling), loss)
    return loss, clipped


def weighted_logprob(
    ratio: torch.Tensor, advantages: torch.Tensor, logp: torch.Tensor, parameters: dict[str, Any]
) -> tuple[torch.Tensor, torch.Tensor]:
    """loss = -stopgrad(min(r, weightCap)) A logp  (CISPO, arXiv 2506.13585): no token loses its gradient."""
    cap = torch.inf if parameters["weightCap"] is None else parameters["weightCap"]
    weight = ratio.detach().clamp(max=cap)
    return -weight * advantages * logp, (ratio > cap) & (advantages != 0)


SURROGATES: dict[str, Surrogate] = {"clipped-ratio": clipped_ratio, "weighted-logprob": weighted_logprob}
