"""Messages through the checkpoint's chat template, as segments that may be tokenised one by one.

The template sees a sentinel wherever text must not be tokenised with its surroundings: a sampled part (its ids are
spliced verbatim) and a literal special token in somebody's text (it must stay text). The rendered string is split at
the sentinels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import decode_int32
from .errors import VarftError
from .model import Model


@dataclass(frozen=True)
class TemplateText:
    """Text of the template and of ordinary parts; special tokens in it are meant."""

    text: str


@dataclass(frozen=True)
class LiteralText:
    """Somebody's text that spells a special token; it must not become that token. Empty: a seam between two parts."""

    text: str


@dataclass(frozen=True)
class SampledIds:
    """What the policy sampled: int32 [T]."""

    ids: np.ndarray


Segment = TemplateText | LiteralText | SampledIds


class Template:
    """Renders messages with the generation prompt."""

    def __init__(self, model: Model) -> None:
        self._processor = model.processor
        self._vocabulary_size = model.vocabulary_size
        self._banned = np.array(model.banned_token_ids, dtype=np.int32)
        self._template = model.template
        self.special_tokens = special_tokens(model)
        alternatives = sorted(map(re.escape, self.special_tokens), key=len, reverse=True)
        self._special = re.compile("|".join(alternatives))

    def segments(self, messages: Sequence[dict[str, Any]], where: str) -> list[Segment]:
        """The rendered conversation. Raises `engine.template_unsupported` when the template drops or repeats a part."""
        mark = _unused_mark(messages)
        cut: list[Segment] = []

        def sentinel(segment: Segment) -> str:
            cut.append(segment)
            return f"{mark}{len(cut) - 1}{mark}"

        conversation = [
            {
                "role": message["role"],
                "content": self._content(message["content"], sentinel, f"{where}.messages[{number}]"),
            }
            for number, message in enumerate(messages)
        ]
        rendered = self._processor.apply_chat_template(
            conversation, chat_template=self._template, add_generation_prompt=True, tokenize=False
        )
        pieces = re.split(f"{mark}(\\d+){mark}", rendered)
        if [int(index) for index in pieces[1::2]] != list(range(len(cut))):
            raise VarftError(
                "engine.template_unsupported",
                f"{where}: the chat template does not keep every part of the conversation, in order",
                hint="Use a chat template that emits the content of every message.",
            )
        segments: list[Segment] = [TemplateText(pieces[0])]
        for segment, text in zip(cut, pieces[2::2], strict=True):
            segments += [segment, TemplateText(text)]
        return segments

    def text_segments(self, text: str) -> list[Segment]:
        """Text outside any template, its literal special tokens kept as text."""
        segments: list[Segment] = []
        end = 0
        for found in self._special.finditer(text):
            segments += [TemplateText(text[end : found.start()]), LiteralText(found.group())]
            end = found.end()
        return [*segments, TemplateText(text[end:])]

    def _content(self, parts: Sequence[dict[str, Any]], sentinel: Any, where: str) -> list[dict[str, str]]:
        content: list[dict[str, str]] = []
        before = ""
        for number, part in enumerate(parts):
            if part["type"] == "image":
                content.append({"type": "image"})
                before = ""
            elif part["type"] == "sampled":
                ids = self._sampled_ids(part["tokenIds"], f"{where}.content[{number}].tokenIds")
                content.append({"type": "text", "text": sentinel(SampledIds(ids))})
                before = ""
            else:
                seam = sentinel(LiteralText("")) if self._spans(before, part["text"]) else ""
                content.append(
                    {
                        "type": "text",
                        "text": seam + self._special.sub(lambda m: sentinel(LiteralText(m.group())), part["text"]),
                    }
                )
                before += part["text"]
        return content

    def _spans(self, before: str, text: str) -> bool:
        """Whether a special token is spelled across the border of two text parts."""
        joined = before + text
        return any(match.start() < len(before) < match.end() for match in self._special.finditer(joined))

    def _sampled_ids(self, encoded: str, where: str) -> np.ndarray:
        ids = decode_int32(encoded, where)
        check_sampled_ids(ids, self._vocabulary_size, self._banned, where)
        return ids


def check_sampled_ids(ids: np.ndarray, vocabulary_size: int, banned: np.ndarray, where: str) -> None:
    """Refuses ids that this checkpoint cannot have sampled: outside the vocabulary, or vision tokens.

    Raises `engine.bad_tokens`.
    """
    wrong = np.flatnonzero((ids < 0) | (ids >= vocabulary_size) | np.isin(ids, banned))
    if len(wrong) > 0:
        index = int(wrong[0])
        raise VarftError(
            "engine.bad_tokens",
            f"{where}[{index}] is {int(ids[index])}: not a token that this checkpoint samples"
            f" (vocabulary {vocabulary_size}, banned {banned.tolist()})",
            hint="Send the ids as this worker's checkpoint sampled them.",
            details={
                "index": index,
                "id": int(ids[index]),
                "vocabularySize": vocabulary_size,
                "banned": banned.tolist(),
            },
        )


def special_tokens(model: Model) -> list[str]:
    """Strings that the tokenizer turns into control tokens, vision tokens included."""
    added = model.tokenizer.added_tokens_decoder
    special = [token.content for token in added.values() if token.special]
    vision = [added[token_id].content for token_id in model.banned_token_ids if token_id in added]
    return sorted({*special, *vision} - {""})


def _unused_mark(messages: Sequence[dict[str, Any]]) -> str:
    """A private-use character that nobody's text holds."""
    texts = "".join(part["text"] for message in messages for part in message["content"] if part["type"] == "text")
    used = set(texts)
    # Three planes of them, more than a context has room for: a snippet may well print one plane.
    private = (*range(0xE000, 0xF900), *range(0xF0000, 0xFFFFE), *range(0x100000, 0x10FFFE))
    return next(mark for code in private if (mark := chr(code)) not in used)
