"""bfloat16 on the CPU, and the same on a GPU where there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from engine_support import (
    Transformers,
    cosine,
    gradients,
    ids_of,
    image,
    key,
    logprobs_of,
    message,
    png,
    put,
    row,
    sample,
    step,
    text,
    update,
)
from varft_engine.engine import Engine

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")


def thread(engine: Engine, tolerance: float) -> list[dict]:
    """Samples a group, trains on it, steps, samples again; sampler and trainer agree within the tolerance."""
    messages = [message("user", image(put(engine, png(81))), text("What number?"))]
    rows: list[dict] = []
    for expected_version in (0, 1):
        response = sample(engine, [(messages, [key(k) for k in range(4)])], maxTokens=16)
        assert response["policyVersion"] == expected_version
        result = response["results"][0]
        rows = [row(messages, result["prompt"], ids_of(c), [(-1.0) ** k]) for k, c in enumerate(result["completions"])]
        answer = update(engine, rows)
        for trained, sampled in zip(answer["rows"], result["completions"], strict=True):
            assert np.abs(logprobs_of(trained) - logprobs_of(sampled)).max() < tolerance
        step(engine)
    return rows


def test_bfloat16_on_the_cpu(tiny: Path) -> None:
    engine = Engine(tiny, dtype="bfloat16")
    thread(engine, tolerance=0.3)
    assert engine.info()["dtype"] == "bfloat16"


@GPU
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-3), ("bfloat16", 0.3)])
def test_on_a_gpu(tiny: Path, dtype: str, tolerance: float) -> None:
    thread(Engine(tiny, device="cuda", dtype=dtype), tolerance)


@GPU
def test_a_gpu_equals_the_cpu(tiny: Path, plain: Transformers) -> None:
    torch.backends.cuda.matmul.allow_tf32 = False
    engines = [Engine(tiny, device=device) for device in ("cpu", "cuda")]
    rows = thread(Engine(tiny), tolerance=1e-4)
    found = []
    for engine in engines:
        put(engine, png(81))
        update(engine, rows)
        found.append({name: gradient.cpu() for name, gradient in gradients(engine).items()})
    assert cosine(*found) > 0.9999
