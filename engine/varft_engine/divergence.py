"""Per-token estimators of KL(policy || reference) from samples of the policy.

d = ref - logp. k1 and k3 are unbiased in value. As a loss, k1's gradient is that of logp itself, zero in expectation;
k2's is the gradient of the KL in expectation (http://joschu.net/blog/kl-approx.html; arXiv 2506.09477).
"""

from __future__ import annotations

from collections.abc import Callable

import torch


def k1(d: torch.Tensor) -> torch.Tensor:
    """-d"""
    return -d


def k2(d: torch.Tensor) -> torch.Tensor:
    """d^2 / 2"""
    return d.square() / 2


def k3(d: torch.Tensor) -> torch.Tensor:
    """exp(d) - d - 1; never negative (GRPO, arXiv 2402.03300)"""
    # expm1: exp(d) - 1 would lose every digit that a small d has.
    return torch.expm1(d) - d


ESTIMATORS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"k1": k1, "k2": k2, "k3": k3}
