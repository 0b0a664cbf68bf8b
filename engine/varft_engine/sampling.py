"""From logits to one token per row: repetition penalty, temperature, top-k, top-p, inverse CDF.

As in transformers, in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Sampling:
    """`samplingSchema` of the wire."""

    temperature: float
    top_p: float
    top_k: int
    repetition_penalty: float
    max_tokens: int
    stop: tuple[str, ...]

    @staticmethod
    def of(request: dict[str, Any]) -> Sampling:
        """From the wire's JSON."""
        return Sampling(
            temperature=request["temperature"],
            top_p=request["topP"],
            top_k=request["topK"],
            repetition_penalty=request["repetitionPenalty"],
            max_tokens=request["maxTokens"],
            stop=tuple(request["stop"]),
        )


def penalise(logits: torch.Tensor, seen: torch.Tensor, penalty: float) -> torch.Tensor:
    """logits [B, V] of tokens in `seen` bool [B, V]: divided by the penalty when positive, multiplied when negative."""
    return torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def keep_top_k(scores: torch.Tensor, k: int) -> torch.Tensor:
    """-inf below the k-th largest score of each row; ties with it stay. scores [B, V]."""
    kth = scores.topk(min(k, scores.shape[-1])).values[:, -1:]
    return scores.masked_fill(scores < kth, float("-inf"))


def keep_top_p(scores: torch.Tensor, p: float) -> torch.Tensor:
    """-inf outside the smallest set of most probable tokens whose probabilities sum to p or more. scores [B, V]."""
    ascending, order = scores.sort(dim=-1)
    outside = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    outside[:, -1] = False
    return scores.masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), float("-inf"))


def filtered_scores(logits: torch.Tensor, sampling: Sampling, seen: torch.Tensor | None) -> torch.Tensor:
    """Scores [B, V] that are sampled from: banned logits [B, V] after penalty, temperature, top-k and top-p."""
    if sampling.repetition_penalty != 1 and seen is not None:
        logits = penalise(logits, seen, sampling.repetition_penalty)
    scores = logits / sampling.temperature if sampling.temperature > 0 else logits
    if sampling.top_k > 0:
        scores = keep_top_k(scores, sampling.top_k)
    if sampling.top_p < 1:
        scores = keep_top_p(scores, sampling.top_p)
    return scores


def inverse_cdf(scores: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """The token v with CDF(v - 1) <= u < CDF(v), tokens in order of id: int64 [B] from scores [B, V], u float64 [B] in
    [0, 1).

    In float64: in float32 the sum over a large vocabulary would shift the tail.
    """
    cdf = scores.double().softmax(dim=-1).cumsum(dim=-1)
    total = cdf[:, -1:]
    # Rounding may lift u * total to total itself, beyond the last token.
    target = torch.minimum(uniform[:, None] * total, torch.nextafter(total, torch.zeros_like(total)))
    # Where the scores are not finite nothing is found; the caller meets that in the log-probability.
    return torch.searchsorted(cdf, target, right=True)[:, 0].clamp(max=scores.shape[-1] - 1)


def choose(logits: torch.Tensor, sampling: Sampling, seen: torch.Tensor | None, uniform: torch.Tensor) -> torch.Tensor:
    """Token ids int64 [B] from banned logits [B, V]; the most probable one at temperature 0."""
    scores = filtered_scores(logits, sampling, seen)
    return scores.argmax(dim=-1) if sampling.temperature == 0 else inverse_cdf(scores, uniform)
