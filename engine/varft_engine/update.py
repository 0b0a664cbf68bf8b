"""`logprobs` and `forward_backward`: rows -> plan -> forward -> log-probabilities -> objective -> gradients that add
up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from .arrays import encode_float32, encode_int32
from .errors import Cancelled, VarftError
from .forward import batch_logprobs
from .model import Model
from .objective import objective_named
from .optimizer import Optimizer
from .plan import MicroBatch, plan
from .prompt import Renderer
from .rows import Row, read_rows

SCORING_TOKENS = 16384
"""Padded tokens per micro-batch of `logprobs`, which keeps no activations."""


class Updater:
    """Reads rows, runs the network, and leaves gradients with the optimizer."""

    def __init__(self, model: Model, renderer: Renderer, optimizer: Optimizer) -> None:
        self._model = model
        self._renderer = renderer
        self._optimizer = optimizer
        self._banned = torch.tensor(model.banned_token_ids, device=model.device)

    def logprobs(self, request: dict[str, Any], model: Model, cancelled: Callable[[], bool]) -> list[dict[str, Any]]:
        """The `rows` of `logprobsResponseSchema`, by `model` (the policy, or the reference).

        Raises `Cancelled` between micro-batches.
        """
        rows = read_rows(request, self._model, self._renderer)
        results: list[np.ndarray] = [np.zeros(0, np.float32)] * len(rows)
        for batch in plan(rows, SCORING_TOKENS, model):
            if cancelled():
                raise Cancelled
            with torch.no_grad():
                values = batch_logprobs(model, batch, request["temperature"], self._banned)
            _scatter(values, batch, rows, results)
        return [
            {"digest": row.prompt.digest, "tokenIds": encode_int32(row.token_ids), "logprobs": encode_float32(values)}
            for row, values in zip(rows, results, strict=True)
        ]

    def forward_backward(self, request: dict[str, Any]) -> dict[str, Any]:
        """`forwardBackwardResultSchema`. Gradients of the summed loss are added to those of earlier calls."""
        started = time.perf_counter()
        objective = objective_named(request["objective"]["name"])
        rows = read_rows(request, self._model, self._renderer)
        _require_advantages(rows)
        batches = plan(rows, request["maxTokensPerMicrobatch"], self._model)
        results: list[np.ndarray] = [np.zeros(0, np.float32)] * len(rows)
        loss, clipped, forward_seconds, backward_seconds = 0.0, 0, 0.0, 0.0
        planned = time.perf_counter()
        try:
            for batch in batches:
                before = time.perf_counter()
                values = batch_logprobs(self._model, batch, request["temperature"], self._banned)
                advantages, old = (torch.from_numpy(array).to(values.device) for array in _arrays(batch, rows))
                losses = objective(values, advantages, old, request["objective"])
                total = losses.loss.sum()
                middle = time.perf_counter()
                total.backward()
                self._optimizer.accumulate()
                # float64: the sum over micro-batches must not depend on how many there are.
                loss += losses.loss.detach().double().sum().item()
                clipped += int(losses.clipped.sum())
                _scatter(values.detach(), batch, rows, results)
                forward_seconds += middle - before
                backward_seconds += time.perf_counter() - middle
        except BaseException:
            self._optimizer.clear()
            raise
        return {
            "loss": loss,
            "tokens": sum(len(row.token_ids) for row in rows),
            "forwardedTokens": sum(batch.tokens for batch in batches),
            "microbatches": len(batches),
            "clippedTokens": clipped,
            "rows": [
                {"tokenIds": encode_int32(row.token_ids), "logprobs": encode_float32(values)}
                for row, values in zip(rows, results, strict=True)
            ],
            "seconds": {"plan": planned - started, "forward": forward_seconds, "backward": backward_seconds},
        }


def _require_advantages(rows: Sequence[Row]) -> None:
    for number, row in enumerate(rows):
        if row.advantages is None:
            raise VarftError("engine.bad_request", f"rows[{number}].advantages is absent")


def _arrays(batch: MicroBatch, rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Advantages and old log-probabilities float32 [M] of a micro-batch; NaN where a row has no old ones."""
    chosen = [rows[number] for number in batch.rows]
    advantages = [row.advantages for row in chosen if row.advantages is not None]
    absent = [np.full(len(row.token_ids), np.nan, np.float32) for row in chosen]
    old = [none if row.old_logprobs is None else row.old_logprobs for row, none in zip(chosen, absent, strict=True)]
    return np.concatenate(advantages), np.concatenate(old)


def _scatter(values: torch.Tensor, batch: MicroBatch, rows: Sequence[Row], results: list[np.ndarray]) -> None:
    """Writes values float32 [M] to the rows they belong to."""
    lengths = [len(rows[number].token_ids) for number in batch.rows]
    for number, part in zip(batch.rows, np.split(values.cpu().numpy(), np.cumsum(lengths)[:-1]), strict=True):
        results[number] = part
