"""The seeded tiny checkpoint, built once per session, and engines on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_support import TEXTS, Transformers
from varft_engine.engine import Engine
from varft_engine.tiny import build_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint folder, with weights large enough for every token to depend on its context. Read only."""
    return build_tiny(tmp_path_factory.mktemp("tiny") / "model", seed=7, texts=TEXTS, initializer_range=0.15)


@pytest.fixture(scope="session")
def shared_engine(tiny: Path) -> Engine:
    """An engine whose weights no test changes."""
    return Engine(tiny)


@pytest.fixture()
def engine(tiny: Path) -> Engine:
    """An engine of the test's own."""
    return Engine(tiny)


@pytest.fixture(scope="session")
def plain(tiny: Path) -> Transformers:
    """transformers by itself on the same checkpoint."""
    return Transformers(tiny)
