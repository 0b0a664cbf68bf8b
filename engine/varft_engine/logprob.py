"""The one log-probability: the same function in sampler, trainer, reference and golden test."""

from __future__ import annotations

import torch


def ban(logits: torch.Tensor, banned: torch.Tensor) -> torch.Tensor:
    """Logits [N, V] in float32 with the banned tokens (int64 [B]) at -inf."""
    return logits.float().index_fill(-1, banned, float("-inf"))


def token_logprobs(
    logits: torch.Tensor, token_ids: torch.Tensor, temperature: float, banned: torch.Tensor
) -> torch.Tensor:
    """logp[n] = log_softmax(ban(logits[n]) / temperature)[token_ids[n]], float32 [N], nats.

    logits [N, V] raw, token_ids int64 [N]. Vision tokens are excluded from the distribution; top-k, top-p and
    repetition penalty are not: they filter what is sampled, not what is trained. At temperature 0 (greedy) the
    temperature counts as 1.
    """
    scaled = ban(logits, banned) / (temperature if temperature > 0 else 1.0)
    chosen = scaled.gather(-1, token_ids[:, None])[:, 0]
    return chosen - scaled.logsumexp(dim=-1)
