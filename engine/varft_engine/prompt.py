"""One truth for tokens: messages to ids, images, positions and a digest, by the checkpoint's own template, processor
and tokenizer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .arrays import encode_int32
from .cache import Cache
from .errors import VarftError
from .images import Patcher, Patches, PixelLimits
from .model import Model
from .template import SampledIds, Segment, Template, TemplateText


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt of P tokens."""

    ids: np.ndarray
    """int32 [P], images expanded."""
    collapsed: np.ndarray
    """int32: every image run as one image token."""
    images: tuple[Patches, ...]
    positions: torch.Tensor
    """int64 [R, P]."""
    digest: str
    template_sha256: str
    processor_sha256: str

    @property
    def nbytes(self) -> int:
        """Memory that the prompt keeps, its images included."""
        own = self.ids.nbytes + self.collapsed.nbytes + self.positions.nbytes
        return own + sum(image.nbytes for image in self.images)

    @property
    def next_position(self) -> int:
        """Position of the first completion token."""
        return int(self.positions.max()) + 1

    def record(self) -> dict[str, Any]:
        """`promptRecordSchema` of the wire."""
        return {
            "digest": self.digest,
            "ids": encode_int32(self.collapsed),
            "images": [{"sha256": image.sha256, "grid": list(image.grid)} for image in self.images],
            "length": len(self.ids),
            "templateSha256": self.template_sha256,
            "processorSha256": self.processor_sha256,
        }


class Renderer:
    """Renders prompts and demonstrations.

    A conversation that was rendered before is remembered: same messages, same prompt.
    """

    def __init__(self, model: Model, patcher: Patcher, budget_bytes: int = 1 << 30) -> None:
        self._model = model
        self._patcher = patcher
        self._template = Template(model)
        self._cache: Cache[bytes, Prompt] = Cache(budget_bytes, lambda prompt: prompt.nbytes)
        self._prefix = _tokenizer_prefix(model)
        self.closing_token_id = self._closing_token_id()

    def prompt(self, messages: Sequence[dict[str, Any]], limits: PixelLimits, where: str) -> Prompt:
        """The prompt of `messages` (wire parts: text, image, sampled), with the generation prompt.

        Raises `images.missing`, `images.unfit`, `engine.bad_tokens`, `engine.template_unsupported`.
        """
        key = hashlib.sha256(json.dumps([messages, limits.min, limits.max], sort_keys=True).encode()).digest()
        return self._cache.get(key, lambda: self._render(messages, limits, where))

    def demonstration(self, text: str) -> np.ndarray:
        """int32 [T]: the text and the token that ends a turn; what spells a special token stays text."""
        ids = [token for segment in self._template.text_segments(text) for token in self._tokenise(segment)]
        return np.array([*ids, self.closing_token_id], dtype=np.int32)

    def _render(self, messages: Sequence[dict[str, Any]], limits: PixelLimits, where: str) -> Prompt:
        model = self._model
        shas = [part["sha256"] for message in messages for part in message["content"] if part["type"] == "image"]
        images = [self._patcher.patches(sha256, limits) for sha256 in shas]
        collapsed = np.array(self._ids(self._template.segments(messages, where)), dtype=np.int32)
        places = np.flatnonzero(collapsed == model.image_token_id)
        if len(places) != len(images):
            raise VarftError(
                "engine.template_unsupported",
                f"{where}: the chat template wrote {len(places)} image tokens for {len(images)} images",
                hint="Use a chat template that writes one image token per image part.",
            )
        runs = np.split(collapsed, places)
        ids = [runs[0]] + [
            part for image, run in zip(images, runs[1:], strict=True) for part in (image.token_ids, run[1:])
        ]
        mask = [np.zeros(len(runs[0]), bool)]
        for image, run in zip(images, runs[1:], strict=True):
            mask += [np.ones(len(image.token_ids), bool), np.zeros(len(run) - 1, bool)]
        expanded = np.concatenate(ids)
        processor_sha256 = self._patcher.settings_sha256(limits)
        return Prompt(
            ids=expanded,
            collapsed=collapsed,
            images=tuple(images),
            positions=model.vision.prompt_positions(expanded, np.concatenate(mask), images),
            digest=_digest(collapsed, images, model.template_sha256, processor_sha256),
            template_sha256=model.template_sha256,
            processor_sha256=processor_sha256,
        )

    def _ids(self, segments: Sequence[Segment]) -> list[int]:
        """Token ids of a conversation, one image token per image."""
        ids: list[int] = []
        closed_by: int | None = None
        for segment in segments:
            tokens = self._tokenise(segment)
            if isinstance(segment, SampledIds):
                closed_by = tokens[-1] if tokens and tokens[-1] in self._model.end_token_ids else None
            else:
                # The policy has closed its turn itself: the template's closing token would be the second.
                tokens = tokens[1:] if closed_by is not None and tokens[:1] == [closed_by] else tokens
                closed_by = None
            ids += tokens
        return ids if ids[: len(self._prefix)] == self._prefix else [*self._prefix, *ids]

    def _tokenise(self, segment: Segment) -> list[int]:
        if isinstance(segment, SampledIds):
            return segment.ids.tolist()
        if segment.text == "":
            return []
        if isinstance(segment, TemplateText):
            return self._model.tokenizer(segment.text, add_special_tokens=False, verbose=False)["input_ids"]
        # No special token is spelled by the first character alone, nor by the rest without it.
        return [
            token
            for text in (segment.text[:1], segment.text[1:])
            if text
            for token in self._model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        ]

    def _closing_token_id(self) -> int:
        """The end token that the template writes after an assistant turn, else the first end token."""
        messages = [
            {"role": "user", "content": [{"type": "text", "text": "?"}]},
            {"role": "assistant", "content": [{"type": "sampled", "text": "", "tokenIds": ""}]},
        ]
        segments = self._template.segments(messages, "closing token")
        after = segments[-1]
        tokens = self._tokenise(after) if isinstance(after, TemplateText) else []
        return tokens[0] if tokens and tokens[0] in self._model.end_token_ids else self._model.end_token_ids[0]


def _digest(collapsed: np.ndarray, images: Sequence[Patches], template_sha256: str, processor_sha256: str) -> str:
    """sha256 over ids (image runs collapsed), image hashes, grids, template and processor settings."""
    content = {
        "ids": encode_int32(collapsed),
        "images": [[image.sha256, list(image.grid)] for image in images],
        "template": template_sha256,
        "processor": processor_sha256,
    }
    return hashlib.sha256(b"varft.prompt.1\n" + json.dumps(content, sort_keys=True).encode()).hexdigest()


def _tokenizer_prefix(model: Model) -> list[int]:
    """What the tokenizer itself puts before a text, a beginning-of-sequence token for example."""
    bos = model.tokenizer.bos_token_id
    with_special = model.tokenizer("a")["input_ids"]
    return [bos] if bos is not None and with_special[:1] == [bos] else []
