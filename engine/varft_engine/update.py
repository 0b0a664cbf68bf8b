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
from .objective import Tokens, objective_named
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
        _require_arrays(rows, request["objective"])
        batches = plan(rows, request["maxTokensPerMicrobatch"], self._model)
        results: list[np.ndarray] = [np.zeros(0, np.float32)] * len(rows)
        loss, kl, clipped, corrected, forward_seconds, backward_seconds = 0.0, 0.0, 0, 0, 0.0, 0.0
        planned = time.perf_counter()
        try:
            for batch in batches:
                before = time.perf_counter()
                values = batch_logprobs(self._model, batch, request["temperature"], self._banned)
                losses = objective(_tokens(values, [rows[number] for number in batch.rows]), request["objective"])
                total = losses.loss.sum()
                middle = time.perf_counter()
                total.backward()
                self._optimizer.accumulate()
                # float64: the sum over micro-batches must not depend on how many there are.
                loss += losses.loss.detach().double().sum().item()
                kl += 0.0 if losses.kl is None else losses.kl.double().sum().item()
                clipped += int(losses.clipped.sum())
                corrected += int(losses.corrected.sum())
                _scatter(values.detach(), batch, rows, results)
                forward_seconds += middle - before
                backward_seconds += time.perf_counter() - middle
        except BaseException:
            self._optimizer.clear()
            raise
        tokens = sum(len(row.token_ids) for row in rows)
        return {
            "loss": loss,
            "tokens": tokens,
            "forwarded": {
                "tokens": sum(batch.tokens for batch in batches),
                "patches": sum(batch.patches for batch in batches),
            },
            "microbatches": len(batches),
            "clippedTokens": clipped,
            "correctedTokens": corrected,
            "kl": None if request["objective"].get("kl") is None else kl / max(1, tokens),
            "rows": [
                {"tokenIds": encode_int32(row.token_ids), "logprobs": encode_float32(values)}
                for row, values in zip(rows, results, strict=True)
            ],
            "seconds": {"plan": planned - started, "forward": forward_seconds, "backward": backward_seconds},
        }


def _require_arrays(rows: Sequence[Row], objective: dict[str, Any]) -> None:
    """Raises `engine.bad_request` naming the first row that lacks what the objective reads."""
    needed = {"advantages": "every objective"}
    if objective.get("kl") is not None:
        needed |= {"referenceLogprobs": "objective.kl", "klWeights": "objective.kl"}
    if objective.get("importance") is not None:
        needed["samplerLogprobs"] = "objective.importance"
    for number, row in enumerate(rows):
        arrays = {
            "advantages": row.advantages,
            "referenceLogprobs": row.reference_logprobs,
            "klWeights": row.kl_weights,
            "samplerLogprobs": row.sampler_logprobs,
        }
        for name, reader in needed.items():
            if arrays[name] is None:
                raise VarftError("engine.bad_request", f"rows[{number}].{name} is absent: {reader} reads it")


def _tokens(logp: torch.Tensor, rows: Sequence[Row]) -> Tokens:
    """What the objective reads: logp [M] of these rows, one after the other, with their arrays on its device.

    An array that some row lacks is None for all: `_require_arrays` has seen to those that are read.
    """

    def joined(arrays: Sequence[np.ndarray | None]) -> torch.Tensor | None:
        present = [array for array in arrays if array is not None]
        return torch.from_numpy(np.concatenate(present)).to(logp.device) if len(present) == len(arrays) else None

    advantages = joined([row.advantages for row in rows])
    old = joined(
        [
            np.full(len(row.token_ids), np.nan, np.float32) if row.old_logprobs is None else row.old_logprobs
            for row in rows
        ]
    )
    assert advantages is not None and old is not None
    return Tokens(
        logp=logp,
        advantages=advantages,
        old=old,
        reference=joined([row.reference_logprobs for row in rows]),
        kl_weights=joined([row.kl_weights for row in rows]),
        sampler=joined([row.sampler_logprobs for row in rows]),
        lengths=tuple(len(row.token_ids) for row in rows),
    )


def _scatter(values: torch.Tensor, batch: MicroBatch, rows: Sequence[Row], results: list[np.ndarray]) -> None:
    """Writes values float32 [M] to the rows they belong to."""
    lengths = [len(rows[number].token_ids) for number in batch.rows]
    for number, part in zip(batch.rows, np.split(values.cpu().numpy(), np.cumsum(lengths)[:-1]), strict=True):
        results[number] = part
