"""Objectives: per-token losses to minimise, by name, put together from shared parts (`ratio.py`, `surrogate.py`,
`divergence.py`, `importance.py`). A published name (GRPO, DAPO, GSPO, CISPO) is a preset of these parts in
`src/training/recipe/objective-schema.ts`, not code here.

Whatever weighs or normalises tokens is inside `advantages` and `kl_weights` already: the worker only sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from .divergence import ESTIMATORS
from .errors import VarftError
from .importance import correction
from .ratio import sequence_ratio
from .surrogate import SURROGATES


class Tokens(NamedTuple):
    """M tokens of some completions, one completion after the other; float32, log-probabilities in nats."""

    logp: torch.Tensor
    """[M], differentiable."""
    advantages: torch.Tensor
    """[M], weighted and normalised."""
    old: torch.Tensor
    """[M] at the start of the update; NaN where there is none, which means `logp` itself."""
    reference: torch.Tensor | None
    """[M] under the reference policy; None without a KL term."""
    kl_weights: torch.Tensor | None
    """[M]: weight of each token's KL; None without a KL term."""
    sampler: torch.Tensor | None
    """[M] as the sampler reported them; None without an importance correction."""
    lengths: tuple[int, ...]
    """Tokens of each completion; they sum to M."""


class TokenLosses(NamedTuple):
    """What an objective makes of M tokens."""

    loss: torch.Tensor
    """float32 [M]."""
    clipped: torch.Tensor
    """bool [M]: the clip has cut the gradient off, or the cap has limited the weight."""
    corrected: torch.Tensor
    """bool [M]: the importance correction has cut the weight, or dropped the sequence."""
    kl: torch.Tensor | None
    """float32 [M]: estimated KL to the reference, unweighted; None without a KL term."""


Objective = Callable[[Tokens, dict[str, Any]], TokenLosses]
"""(tokens, the request's `objective`) -> losses."""


def cross_entropy(tokens: Tokens, parameters: dict[str, Any]) -> TokenLosses:
    """loss = weight * -logp"""
    none = torch.zeros_like(tokens.logp, dtype=torch.bool)
    return TokenLosses(-tokens.advantages * tokens.logp, none, none, None)


def policy_gradient(tokens: Tokens, parameters: dict[str, Any]) -> TokenLosses:
    """loss = w * surrogate(r, A) + beta * klWeight * KL [* r_t], r = exp(logp - old) of the token or the sequence.

    Without `old`, r = 1 in value and the gradient is A * grad logp. `w`, the importance correction, is a constant; a
    dropped sequence loses its KL term too. `KL * r_t` (`timesRatio`, DeepSeek-V3.2) is always with the token's own r:
    the expectation under `old` is then that of the current policy.
    """
    old = torch.where(torch.isnan(tokens.old), tokens.logp.detach(), tokens.old)
    token_ratio = torch.exp(tokens.logp - old)
    whole = parameters["ratio"] == "sequence"
    ratio = sequence_ratio(tokens.logp - old, tokens.lengths) if whole else token_ratio
    loss, clipped = SURROGATES[parameters["surrogate"]](ratio, tokens.advantages, tokens.logp, parameters)
    corrected = torch.zeros_like(clipped)
    kept = torch.ones_like(clipped)
    if parameters["importance"] is not None and tokens.sampler is not None:
        weights = correction(old - tokens.sampler, tokens.lengths, parameters["importance"])
        loss, corrected, kept = loss * weights.weight, weights.corrected, weights.kept
    if parameters["kl"] is None or tokens.reference is None or tokens.kl_weights is None:
        return TokenLosses(loss, clipped, corrected, None)
    kl = ESTIMATORS[parameters["kl"]["estimator"]](tokens.reference - tokens.logp)
    penalty = parameters["kl"]["beta"] * tokens.kl_weights * kl
    if parameters["kl"]["timesRatio"]:
        penalty = penalty * token_ratio
    return TokenLosses(loss + torch.where(kept, penalty, 0.0), clipped, corrected, kl.detach())


OBJECTIVES: dict[str, Objective] = {"cross_entropy": cross_entropy, "policy_gradient": policy_gradient}


def objective_named(name: str) -> Objective:
    """The objective. Raises `engine.bad_request` with the known names."""
    if name not in OBJECTIVES:
        raise VarftError("engine.bad_request", f"objective.name: {name!r} is not one of {sorted(OBJECTIVES)}")
    return OBJECTIVES[name]
