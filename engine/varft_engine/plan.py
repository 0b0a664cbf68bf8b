"""From rows to what is forwarded: distinct sequences, micro-batches, padding, positions, and where log-probabilities
are read.

Replaceable: `forward.py` and the objective see only `MicroBatch`. Sequences are padded on the right and run under the
plain causal mask, so a real token never attends to padding and no mask tensor is needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .images import Patches
from .model import Model
from .rows import Row


@dataclass(frozen=True)
class MicroBatch:
    """B sequences of at most L tokens, with N completion tokens in all and M row tokens reading them."""

    input_ids: torch.Tensor
    """int64 [B, L]."""
    positions: torch.Tensor
    """int64 [R, B, L]."""
    images: tuple[Patches, ...]
    """In order of their tokens, sequence after sequence."""
    predicting: torch.Tensor
    """int64 [N]: index into the flattened [B * L] of the token that predicts each completion token."""
    targets: torch.Tensor
    """int64 [N]."""
    rows: tuple[int, ...]
    """Numbers of the rows that read from this micro-batch."""
    reading: torch.Tensor
    """int64 [M]: for each token of each row, in order, its place in [N]. Equal rows read the same places."""
    tokens: int
    """Prompt and completion tokens forwarded, padding not counted."""
    patches: int
    """Image patches forwarded, each distinct image once."""


def plan(rows: Sequence[Row], max_tokens: int, model: Model) -> list[MicroBatch]:
    """Micro-batches of at most `max_tokens` padded tokens; a longer sequence goes alone.

    Rows with the same prompt and the same completion are forwarded once: exact for every objective, since each row
    reads the same log-probabilities with its own advantages. Sequences of similar length go together.
    """
    sharing: dict[tuple[str, bytes], list[int]] = {}
    for number, row in enumerate(rows):
        sharing.setdefault((row.prompt.digest, row.token_ids.tobytes()), []).append(number)
    sequences = list(sharing.values())
    lengths = [_length(rows[numbers[0]]) for numbers in sequences]
    batches: list[list[int]] = []
    for index in sorted(range(len(sequences)), key=lambda index: (-lengths[index], index)):
        # The first of a batch is its longest, so it fixes the padded length.
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= max_tokens:
            batches[-1].append(index)
        else:
            batches.append([index])
    return [_micro_batch([sequences[index] for index in batch], rows, model) for batch in batches]


def _length(row: Row) -> int:
    # The last completion token predicts nothing that is trained.
    return len(row.prompt.ids) + len(row.token_ids) - 1


def _micro_batch(sharing: Sequence[Sequence[int]], rows: Sequence[Row], model: Model) -> MicroBatch:
    firsts = [rows[numbers[0]] for numbers in sharing]
    length = max(map(_length, firsts))
    # Padding must be no image token; an end token never is.
    input_ids = torch.full((len(firsts), length), model.end_token_ids[0], dtype=torch.int64)
    positions = torch.zeros((firsts[0].prompt.positions.shape[0], len(firsts), length), dtype=torch.int64)
    predicting: list[np.ndarray] = []
    for index, row in enumerate(firsts):
        prompt, completion = row.prompt, row.token_ids
        end = _length(row)
        input_ids[index, :end] = torch.from_numpy(np.concatenate([prompt.ids, completion[:-1]]).astype(np.int64))
        positions[:, index, : len(prompt.ids)] = prompt.positions
        positions[:, index, len(prompt.ids) : end] = prompt.next_position + torch.arange(len(completion) - 1)
        predicting.append(index * length + np.arange(len(prompt.ids) - 1, end))
    starts = np.cumsum([0, *map(len, predicting)])
    readers = [(number, index) for index, numbers in enumerate(sharing) for number in numbers]
    reading = [np.arange(starts[index], starts[index + 1]) for _, index in readers]
    device = model.device
    images = tuple(image for row in firsts for image in row.prompt.images)
    return MicroBatch(
        input_ids=input_ids.to(device),
        positions=positions.to(device),
        images=images,
        predicting=torch.from_numpy(np.concatenate(predicting)).to(device),
        targets=torch.from_numpy(np.concatenate([row.token_ids for row in firsts]).astype(np.int64)).to(device),
        rows=tuple(number for number, _ in readers),
        reading=torch.from_numpy(np.concatenate(reading)).to(device),
        tokens=sum(map(_length, firsts)),
        patches=sum(math.prod(image.grid) for image in {image.key: image for image in images}.values()),
    )
