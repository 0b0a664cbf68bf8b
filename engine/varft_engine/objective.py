"""Objectives: per-token losses to minimise, by name. A new one is a function here and an entry in `OBJECTIVES`.

Whatever weighs or normalises tokens is inside `advantages` already: the worker only sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from .errors import VarftError


class TokenLosses(NamedTuple):
    """`loss` float32 [M]; `clipped` bool [M], true where the clip has cut the gradient off."""

    loss: torch.Tensor
    clipped: torch.Tensor


Objective = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]], TokenLosses]
"""(logp [M], advantages [M], old logp [M] with NaN where there is none, parameters) -> losses."""


def cross_entropy(
    logp: torch.Tensor, advantages: torch.Tensor, old: torch.Tensor, parameters: dict[str, Any]
) -> TokenLosses:
    """loss = weight * -logp"""
    return TokenLosses(-advantages * logp, torch.zeros_like(logp, dtype=torch.bool))


def grpo(logp: torch.Tensor, advantages: torch.Tensor, old: torch.Tensor, parameters: dict[str, Any]) -> TokenLosses:
    """loss = -min(r A, clip(r, 1 - clipLow, 1 + clipHigh) A), r = exp(logp - old)  (PPO, arXiv 1707.06347).

    Without `old`, r = 1 in value and the gradient is A * grad logp.
    """
    low, high = 1 - parameters["clipLow"], 1 + parameters["clipHigh"]
    ratio = torch.exp(logp - torch.where(torch.isnan(old), logp.detach(), old))
    loss = -torch.minimum(ratio * advantages, ratio.clamp(low, high) * advantages)
    clipped = ((ratio > high) & (advantages > 0)) | ((ratio < low) & (advantages < 0))
    return TokenLosses(loss, clipped)


OBJECTIVES: dict[str, Objective] = {"cross_entropy": cross_entropy, "grpo": grpo}


def objective_named(name: str) -> Objective:
    """The objective. Raises `engine.bad_request` with the known names."""
    if name not in OBJECTIVES:
        raise VarftError("engine.bad_request", f"objective.name: {name!r} is not one of {sorted(OBJECTIVES)}")
    return OBJECTIVES[name]
