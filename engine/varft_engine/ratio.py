"""Numbers of a whole completion, given to each of its tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch


def sequence_ratio(log_ratio: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
    """r_i = exp(mean_t(logp - old)) of each completion, at each of its tokens: float32 [M]  (GSPO, arXiv 2507.18071).

    log_ratio float32 [M], completion after completion; lengths sum to M. A completion is one sampled turn.
    """
    return torch.exp(of_sequence(log_ratio, lengths, torch.mean))


def of_sequence(
    values: torch.Tensor, lengths: Sequence[int], reduce: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """`reduce` of each completion's values, repeated over its tokens: [M] -> [M].

    Example: `of_sequence(tensor([1., 3., 5.]), (2, 1), torch.mean)` is `[2., 2., 5.]`
    """
    # A loop of reductions rather than a scatter: the sum has one order on every device.
    reduced = torch.stack([reduce(part) for part in values.split(list(lengths))])
    return reduced.repeat_interleave(torch.tensor(lengths, device=values.device))
