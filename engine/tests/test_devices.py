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
    score,
    step,
    text,
    update,
)
from varft_engine.engine import Engine
from varft_engine.lora import LoraSettings
from varft_engine.trained import Trained

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


LORA = Trained(LoraSettings(4, 8, vision=True), gradient_checkpointing=True)


@pytest.mark.parametrize("trained", [Trained(), LORA], ids=["all", "lora"])
def test_bfloat16_on_the_cpu(tiny: Path, trained: Trained) -> None:
    engine = Engine(tiny, dtype="bfloat16", trained=trained)
    thread(engine, tolerance=0.3)
    assert engine.info()["dtype"] == "bfloat16"


@GPU
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-3), ("bfloat16", 0.3)])
@pytest.mark.parametrize("trained", [Trained(), LORA], ids=["all", "lora"])
def test_on_a_gpu(tiny: Path, dtype: str, tolerance: float, trained: Trained) -> None:
    thread(Engine(tiny, device="cuda", dtype=dtype, trained=trained), tolerance)


@GPU
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_reference_of_an_adapter_on_a_gpu(tiny: Path, tmp_path: Path, dtype: str) -> None:
    """The frozen base bit by bit, and the same adapter as on the CPU to begin with; a checkpoint comes back."""
    base, engine, cpu = (
        Engine(tiny, device="cuda", dtype=dtype),
        Engine(tiny, device="cuda", dtype=dtype, trained=LORA),
        Engine(tiny, dtype=dtype, trained=LORA),
    )
    states = [{name: w.cpu() for name, w in one.model.network.named_parameters()} for one in (engine, cpu)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])
    rows = thread(engine, tolerance=0.3)
    put(base, png(81))
    assert np.array_equal(score(engine, rows, "reference")[0], score(base, rows)[0])
    policy = score(engine, rows)[0]
    engine.save(str(tmp_path / "checkpoint"), {})
    again = Engine(tiny, device="cuda", dtype=dtype, seed=9, trained=LORA)
    put(again, png(81))
    again.load(str(tmp_path / "checkpoint"), {})
    assert np.array_equal(score(again, rows)[0], policy)


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
