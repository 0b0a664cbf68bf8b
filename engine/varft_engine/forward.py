"""Runs the network once over a micro-batch and returns logits at the needed positions only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from .logprob import token_logprobs
from .model import Model
from .plan import MicroBatch


@contextmanager
def head_reads(network: PreTrainedModel, index: torch.Tensor) -> Iterator[None]:
    """Inside, the output head sees only the flattened positions `index` int64 [N]: logits come out as [1, N, V].

    With a vocabulary of 152,064 the logits of a whole batch are the largest tensor by far. A hook does it for every
    architecture, through the network's own forward (`logits_to_keep` can only name positions common to all rows).
    """

    def gather(_: torch.nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        hidden = arguments[0]
        return (hidden.reshape(-1, hidden.shape[-1])[index][None], *arguments[1:])

    handle = network.get_output_embeddings().register_forward_pre_hook(gather)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def recomputing(network: PreTrainedModel) -> Iterator[None]:
    """Inside, layers on which gradient checkpointing was enabled keep their inputs only and run again in the backward
    pass.

    They do so while `training` is set, which here is never: dropout would act. So it is set on those layers alone.
    """
    layers = [m for m in network.modules() if isinstance(m, GradientCheckpointingLayer) and m.gradient_checkpointing]
    for layer in layers:
        layer.training = True
    try:
        yield
    finally:
        for layer in layers:
            layer.training = False


def forward(model: Model, batch: MicroBatch) -> torch.Tensor:
    """Logits [N, V] that predict the batch's N completion tokens.

    Gradients reach the vision tower when they are enabled and any of its weights is trained.
    """
    vision = model.vision
    learns = torch.is_grad_enabled() and model.trains_vision
    with head_reads(model.network, batch.predicting), recomputing(model.network):
        inputs = vision.training_inputs(batch.images) if learns else vision.sampling_inputs(batch.images)
        output = model.network(
            input_ids=batch.input_ids, position_ids=vision.position_ids(batch.positions), use_cache=False, **inputs
        )
    return output.logits[0]


def batch_logprobs(model: Model, batch: MicroBatch, temperature: float, banned: torch.Tensor) -> torch.Tensor:
    """Log-probabilities float32 [M] of every token of every row of the batch."""
    return token_logprobs(forward(model, batch), batch.targets, temperature, banned)[batch.reading]
