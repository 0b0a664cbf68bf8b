"""When a completion ends: end tokens, and stop strings found in the decoded text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .model import Model


class Stops:
    """Decodes only when it may matter: after a token whose own text holds the last character of a stop string.

    A token of incomplete bytes decodes to U+FFFD and may complete any character, so it always counts.
    """

    def __init__(self, model: Model) -> None:
        self._tokenizer: Any = model.tokenizer
        self._vocabulary_size = model.vocabulary_size
        self._end = set(model.end_token_ids)
        self._tables: dict[tuple[str, ...], np.ndarray] = {}
        self._texts: list[str] | None = None

    def is_end(self, token_id: int) -> bool:
        """Whether the token ends a turn."""
        return token_id in self._end

    def candidates(self, stop: tuple[str, ...]) -> np.ndarray:
        """bool [V]: tokens after which the text must be looked at."""
        if stop not in self._tables:
            if self._texts is None:
                self._texts = self._tokenizer.batch_decode([[token] for token in range(self._vocabulary_size)])
            last = {text[-1] for text in stop}
            table = ["�" in text or not last.isdisjoint(text) for text in self._texts]
            self._tables[stop] = np.array(table, dtype=bool)
        return self._tables[stop]

    def text(self, token_ids: Sequence[int]) -> str:
        """The completion's text: special tokens visible, a final end token left out, incomplete bytes as U+FFFD."""
        ids = token_ids[:-1] if len(token_ids) > 0 and self.is_end(token_ids[-1]) else token_ids
        return self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)

    def has_stop(self, token_ids: Sequence[int], stop: tuple[str, ...]) -> bool:
        """Whether a stop string stands in the text."""
        text = self.text(token_ids)
        return any(candidate in text for candidate in stop)
