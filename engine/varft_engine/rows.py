"""Rows of a request, checked: the prompt rendered again and compared, the completion's ids, its arrays.

Nothing is truncated here: what does not fit is refused with both numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import decode_float32, decode_int32
from .errors import VarftError
from .images import PixelLimits
from .model import Model
from .prompt import Prompt, Renderer
from .template import check_sampled_ids


@dataclass(frozen=True)
class Row:
    """One completion of T tokens."""

    prompt: Prompt
    token_ids: np.ndarray
    """int32 [T]."""
    advantages: np.ndarray | None = None
    """float32 [T]; None when the request only asks for log-probabilities."""
    old_logprobs: np.ndarray | None = None
    """float32 [T], nats; None on the first pass of a batch."""
    reference_logprobs: np.ndarray | None = None
    """float32 [T], nats, under the reference policy; None without a KL term."""
    kl_weights: np.ndarray | None = None
    """float32 [T]; None without a KL term."""
    sampler_logprobs: np.ndarray | None = None
    """float32 [T], nats, as the sampler reported them; None without an importance correction."""


def read_rows(request: dict[str, Any], model: Model, renderer: Renderer) -> list[Row]:
    """The rows of `logprobs` and `forward_backward`.

    Raises `engine.prompt_mismatch`, `engine.context_exceeded`, `engine.bad_request`, `engine.bad_tokens`,
    `images.missing`.
    """
    limits = PixelLimits(request["pixels"]["min"], request["pixels"]["max"])
    return [_read_row(row, limits, model, renderer, number) for number, row in enumerate(request["rows"])]


def check_context(prompt_length: int, completion_length: int, model: Model, index: int, where: str) -> None:
    """Raises `engine.context_exceeded` with both numbers, and the index of the prompt or row in its request."""
    if prompt_length + completion_length > model.context_length:
        raise VarftError(
            "engine.context_exceeded",
            f"{where}: {prompt_length} prompt + {completion_length} completion tokens"
            f" = {prompt_length + completion_length}, the model's context holds {model.context_length}",
            hint="Lower maxTokens or pixels.max, or end the episode earlier.",
            details={
                "index": index,
                "promptTokens": prompt_length,
                "completionTokens": completion_length,
                "contextLength": model.context_length,
            },
        )


def _read_row(row: dict[str, Any], limits: PixelLimits, model: Model, renderer: Renderer, number: int) -> Row:
    where = f"rows[{number}]"
    prompt = renderer.prompt(row["messages"], limits, where)
    if row["prompt"] is not None:
        check_prompt(prompt, row["prompt"], model, where)
    token_ids = _completion(row, model, renderer, where)
    check_context(len(prompt.ids), len(token_ids), model, number, where)

    def array(name: str, *, one_for_all: bool = False) -> np.ndarray | None:
        return _per_token(row.get(name), len(token_ids), f"{where}.{name}", one_for_all=one_for_all)

    return Row(
        prompt,
        token_ids,
        advantages=array("advantages", one_for_all=True),
        old_logprobs=array("oldLogprobs"),
        reference_logprobs=array("referenceLogprobs"),
        kl_weights=array("klWeights", one_for_all=True),
        sampler_logprobs=array("samplerLogprobs"),
    )


def _completion(row: dict[str, Any], model: Model, renderer: Renderer, where: str) -> np.ndarray:
    if (row["tokenIds"] is None) == (row["text"] is None):
        raise VarftError("engine.bad_request", f"{where}: exactly one of tokenIds and text must be given")
    if row["tokenIds"] is None:
        return renderer.demonstration(row["text"])
    if row["prompt"] is None:
        raise VarftError(
            "engine.bad_request",
            f"{where}: tokenIds without prompt",
            hint="Send back the prompt record that `sample` returned.",
        )
    token_ids = decode_int32(row["tokenIds"], f"{where}.tokenIds")
    if len(token_ids) == 0:
        raise VarftError(
            "engine.bad_request", f"{where}.tokenIds is empty", hint="Leave completions without tokens out."
        )
    check_sampled_ids(token_ids, model.vocabulary_size, np.array(model.banned_token_ids), f"{where}.tokenIds")
    return token_ids


def _per_token(encoded: str | None, length: int, where: str, *, one_for_all: bool) -> np.ndarray | None:
    if encoded is None:
        return None
    values = decode_float32(encoded, where)
    if one_for_all and len(values) == 1:
        values = np.repeat(values, length)
    if len(values) != length:
        raise VarftError("engine.bad_request", f"{where}: {len(values)} values for {length} tokens")
    if not np.isfinite(values).all():
        index = int(np.flatnonzero(~np.isfinite(values))[0])
        raise VarftError("engine.bad_request", f"{where}[{index}] is {values[index]}: expected a finite number")
    return values


def check_prompt(rendered: Prompt, sent: dict[str, Any], model: Model, where: str) -> None:
    """Compares a prompt with the record that was stored when it was sampled from.

    Raises `engine.prompt_mismatch`, naming the first difference: token, image, or template and processor settings.
    """
    ids = decode_int32(sent["ids"], f"{where}.prompt.ids")
    problem = _token_difference(rendered.collapsed, ids, model) or _image_difference(rendered, sent["images"])
    if problem is None and rendered.digest == sent["digest"]:
        return
    if problem is None:
        problem = (
            f"ids and images agree, but the digest sent is {sent['digest']} and the worker's is {rendered.digest}:"
            " another chat template or other image processor settings",
            {
                "sentDigest": sent["digest"],
                "renderedDigest": rendered.digest,
                "templateSha256": rendered.template_sha256,
                "processorSha256": rendered.processor_sha256,
            },
        )
    message, details = problem
    raise VarftError(
        "engine.prompt_mismatch",
        f"{where}: the prompt rendered now is not the one sampled from: {message}",
        hint="Train with the checkpoint, messages and pixel limits that were sampled with; do not edit a trace.",
        details={"row": where, **details},
    )


def _token_difference(rendered: np.ndarray, sent: np.ndarray, model: Model) -> tuple[str, dict[str, Any]] | None:
    shorter = min(len(rendered), len(sent))
    different = np.flatnonzero(rendered[:shorter] != sent[:shorter])
    if len(different) == 0 and len(rendered) == len(sent):
        return None
    index = int(different[0]) if len(different) > 0 else shorter
    sides = [_token(ids, index, model) for ids in (sent, rendered)]
    words = ["nothing (the prompt ends)" if token_id is None else f"{token_id} {text!r}" for token_id, text in sides]
    return (
        f"token {index} was {words[0]}, is {words[1]}",
        {
            "index": index,
            "sentId": sides[0][0],
            "sentText": sides[0][1],
            "renderedId": sides[1][0],
            "renderedText": sides[1][1],
        },
    )


def _token(ids: np.ndarray, index: int, model: Model) -> tuple[int | None, str | None]:
    if index >= len(ids):
        return None, None
    token_id = int(ids[index])
    known = 0 <= token_id < model.vocabulary_size
    return token_id, model.tokenizer.decode([token_id]) if known else "(outside the vocabulary)"


def _image_difference(rendered: Prompt, sent: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]] | None:
    if len(rendered.images) != len(sent):
        return (
            f"it had {len(sent)} images, has {len(rendered.images)}",
            {"sentImages": len(sent), "renderedImages": len(rendered.images)},
        )
    for index, (now, before) in enumerate(zip(rendered.images, sent, strict=True)):
        if now.sha256 != before["sha256"] or now.grid != tuple(before["grid"]):
            return (
                f"image {index} was {before['sha256']} with grid {list(before['grid'])},"
                f" is {now.sha256} with grid {list(now.grid)}",
                {
                    "image": index,
                    "sentSha256": before["sha256"],
                    "sentGrid": list(before["grid"]),
                    "renderedSha256": now.sha256,
                    "renderedGrid": list(now.grid),
                },
            )
    return None
