"""The papers' objectives, written out token by token in Python floats and float64 autograd. Nothing of `varft_engine`.

A token is {logp (a tensor that autograd follows), old, ref, sampler, A}; a formula takes the tokens of one completion
and a position to that token's loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

WEIGHT = 0.125
"""Aggregation weight of every token; in its advantage already."""

Formula = Callable[[list[dict[str, Any]], int], torch.Tensor]


def ratio(token: dict[str, Any]) -> torch.Tensor:
    return torch.exp(token["logp"] - token["old"])


def ppo(r: torch.Tensor, a: float, low: float, high: float) -> torch.Tensor:
    """-min(r A, clip(r, low, high) A)"""
    clipped = r * 0 + min(max(r.item(), low), high) if not low <= r.item() <= high else r
    first, second = r * a, clipped * a
    return -(first if first.item() <= second.item() else second)


def unclipped(c: list[dict[str, Any]], t: int) -> torch.Tensor:
    return -ratio(c[t]) * c[t]["A"]


def grpo(c: list[dict[str, Any]], t: int) -> torch.Tensor:
    return ppo(ratio(c[t]), c[t]["A"], 0.8, 1.2)


def dapo(c: list[dict[str, Any]], t: int) -> torch.Tensor:
    return ppo(ratio(c[t]), c[t]["A"], 0.8, 1.28)


def dual(c: list[dict[str, Any]], t: int) -> torch.Tensor:
    loss, ceiling = grpo(c, t), -1.5 * c[t]["A"]
    return loss if c[t]["A"] >= 0 or loss.item() < ceiling else torch.tensor(ceiling, dtype=torch.float64)


def gspo(c: list[dict[str, Any]], t: int) -> torch.Tensor:
    s = torch.exp(sum((token["logp"] - token["old"] for token in c), torch.zeros((), dtype=torch.float64)) / len(c))
    return ppo(s, c[t]["A"], 1 - 0.03, 1 + 0.04)


def cispo(c: list[dict[str, Any]], t: int) -> torch.Tensor:
    return -min(ratio(c[t]).item(), 1.3) * c[t]["A"] * c[t]["logp"]


def with_kl(estimate: Callable[[torch.Tensor], torch.Tensor], times_ratio: bool) -> Formula:
    def formula(c: list[dict[str, Any]], t: int) -> torch.Tensor:
        kl = estimate(c[t]["ref"] - c[t]["logp"])
        return grpo(c, t) + 0.04 * WEIGHT * (ratio(c[t]) * kl if times_ratio else kl)

    return formula


def truncated(c: list[dict[str, Any]], t: int) -> torch.Tensor:
    return min(math.exp(c[t]["old"] - c[t]["sampler"]), 1.4) * grpo(c, t)


def dropped(c: list[dict[str, Any]], t: int) -> torch.Tensor:
    whole = math.exp(sum(token["old"] - token["sampler"] for token in c))
    kl = c[t]["ref"] - c[t]["logp"]
    loss = grpo(c, t) + 0.04 * WEIGHT * (torch.exp(kl) - kl - 1)
    return loss if 1 / 1.6 <= whole <= 1.6 else loss * 0


def kl(estimator: str, *, times_ratio: bool = False) -> dict[str, Any]:
    return {"beta": 0.04, "estimator": estimator, "timesRatio": times_ratio}


CASES: dict[str, tuple[dict[str, Any], Formula]] = {
    "no clip": ({"clipLow": None, "clipHigh": None}, unclipped),
    "grpo": ({}, grpo),
    "dapo": ({"clipHigh": 0.28}, dapo),
    "dual clip": ({"dualClip": 1.5}, dual),
    "gspo": ({"ratio": "sequence", "clipLow": 0.03, "clipHigh": 0.04}, gspo),
    "cispo": ({"surrogate": "weighted-logprob", "clipLow": None, "clipHigh": None, "weightCap": 1.3}, cispo),
    "k1": ({"kl": kl("k1")}, with_kl(lambda d: -d, times_ratio=False)),
    "k2": ({"kl": kl("k2")}, with_kl(lambda d: d**2 / 2, times_ratio=False)),
    "k3": ({"kl": kl("k3")}, with_kl(lambda d: torch.exp(d) - d - 1, times_ratio=False)),
    "k3 x ratio": (
        {"kl": kl("k3", times_ratio=True)},
        with_kl(lambda d: torch.exp(d) - d - 1, times_ratio=True),
    ),
    "k1 x ratio": ({"kl": kl("k1", times_ratio=True)}, with_kl(lambda d: -d, times_ratio=True)),
    "truncated importance": ({"importance": {"mode": "truncate", "limit": 1.4}}, truncated),
    "dropped sequences": ({"importance": {"mode": "drop", "limit": 1.6}, "kl": kl("k3")}, dropped),
}
