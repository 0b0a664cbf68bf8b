"""A cache with a budget in bytes: what was not used for longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """Values by key, their sizes in bytes as `size_of` gives them. The newest stays even when it exceeds the budget.

    Example: `Cache[str, bytes](1 << 20, len).get("a", lambda: b"computed once")`
    """

    def __init__(self, budget_bytes: int, size_of: Callable[[Value], int]) -> None:
        self._budget = budget_bytes
        self._size_of = size_of
        self._bytes = 0
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key, compute: Callable[[], Value]) -> Value:
        """The value of `key`, computed when it is not here."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = compute()
        self._values[key] = value
        self._bytes += self._size_of(value)
        while self._bytes > self._budget and len(self._values) > 1:
            _, dropped = self._values.popitem(last=False)
            self._bytes -= self._size_of(dropped)
        return value

    def clear(self) -> None:
        """Forgets everything."""
        self._values.clear()
        self._bytes = 0
