"""The byte-budgeted cache."""

from __future__ import annotations

from varft_engine.cache import Cache


def test_the_least_recently_used_goes_first() -> None:
    computed: list[str] = []
    cache: Cache[str, bytes] = Cache(30, len)

    def ask(name: str, size: int = 10) -> None:
        def compute() -> bytes:
            computed.append(name)
            return bytes(size)

        assert len(cache.get(name, compute)) == size

    for name in "abcad":
        ask(name)
    assert computed == list("abcd")
    for name in "acd":
        ask(name)
    assert computed == list("abcd")
    ask("b")
    assert computed == list("abcdb")
    ask("large", 1000)
    ask("large", 1000)
    assert computed == [*"abcdb", "large"]
    cache.clear()
    ask("large", 1000)
    assert computed == [*"abcdb", "large", "large"]
