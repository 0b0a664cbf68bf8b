"""`optim_step` against AdamW written by hand, clipping, refusals, float32 masters."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from engine_support import gradients, image, message, png, put, record_of, row, score, step, text, update
from varft_engine.engine import Engine
from varft_engine.errors import VarftError
from varft_engine.lora import LoraSettings
from varft_engine.trained import Trained


def one_update(engine: Engine, advantage: float = 1.0) -> None:
    messages = [message("user", image(put(engine, png(61))), text("?"))]
    update(engine, [row(messages, record_of(engine, messages), [30, 31, 32, 33], [advantage])])


def weights(engine: Engine) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in engine.model.network.named_parameters()}


@pytest.mark.parametrize("max_norm", [0.0, 0.05])
@pytest.mark.parametrize("trained", [Trained(), Trained(LoraSettings(4, 8))], ids=["all", "lora"])
def test_three_steps_of_adamw_by_hand(tiny: Path, max_norm: float, trained: Trained) -> None:
    """m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr (decay w + m^ / (sqrt(v^) + eps)), in float64."""
    engine = Engine(tiny, trained=trained)
    b1, b2, eps, decay = 0.9, 0.95, 1e-8, 0.1
    expected = {name: weight.double() for name, weight in weights(engine).items()}
    m = {name: torch.zeros_like(weight) for name, weight in expected.items()}
    v = {name: torch.zeros_like(weight) for name, weight in expected.items()}
    for t, rate in ((1, 1e-3), (2, 2e-3), (3, 5e-4)):
        one_update(engine, advantage=t)
        found = gradients(engine)
        norm = torch.sqrt(sum((g.double() ** 2).sum() for g in found.values()))  # type: ignore[arg-type]
        scale = min(1.0, max_norm / norm.item()) if max_norm > 0 else 1.0
        for name, gradient in found.items():
            g, w = gradient.double() * scale, expected[name]
            m[name] = b1 * m[name] + (1 - b1) * g
            v[name] = b2 * v[name] + (1 - b2) * g * g
            direction = (m[name] / (1 - b1**t)) / ((v[name] / (1 - b2**t)).sqrt() + eps)
            expected[name] = w - rate * ((decay if w.ndim >= 2 else 0.0) * w + direction)
        answer = step(engine, learningRate=rate, betas=[b1, b2], eps=eps, weightDecay=decay, maxGradNorm=max_norm)
        assert answer["policyVersion"] == t
        assert answer["gradNorm"] == pytest.approx(norm.item(), rel=1e-5)
        assert max_norm == 0 or norm > max_norm
    for name, weight in weights(engine).items():
        torch.testing.assert_close(weight.double(), expected[name], rtol=1e-4, atol=2e-6)


def test_the_policy_changes_and_the_reference_does_not(engine: Engine) -> None:
    messages = [message("user", image(put(engine, png(62))), text("?"))]
    rows = [row(messages, record_of(engine, messages), [30, 31, 32])]
    before = score(engine, rows)[0]
    update(engine, rows)
    step(engine)
    assert (score(engine, rows)[0] > before).all()
    assert (score(engine, rows, "reference")[0] == before).all()
    assert engine.info()["policyVersion"] == 1


def test_a_step_needs_a_gradient(engine: Engine) -> None:
    with pytest.raises(VarftError) as caught:
        step(engine)
    assert caught.value.code == "engine.no_gradient"
    one_update(engine)
    engine.zero_grad()
    with pytest.raises(VarftError):
        step(engine)
    assert engine.info()["policyVersion"] == 0


def test_a_nonfinite_gradient_leaves_the_weights_untouched(engine: Engine) -> None:
    before = weights(engine)
    one_update(engine, advantage=3e38)
    with pytest.raises(VarftError) as caught:
        step(engine)
    assert caught.value.code == "engine.nonfinite_gradient"
    assert gradients(engine) == {} and engine.info()["policyVersion"] == 0
    assert all(torch.equal(weight, before[name]) for name, weight in weights(engine).items())
    one_update(engine)
    assert step(engine)["policyVersion"] == 1


def test_bfloat16_keeps_float32_masters(tiny: Path) -> None:
    """Steps far below bfloat16's resolution add up instead of vanishing."""
    engine = Engine(tiny, dtype="bfloat16")
    before = weights(engine)
    assert all(weight.dtype == torch.bfloat16 for weight in before.values())
    for _ in range(30):
        one_update(engine)
        step(engine, learningRate=4e-5, weightDecay=0.0)
    name = "model.language_model.layers.0.mlp.up_proj.weight"
    moved = (weights(engine)[name] - before[name]).abs()
    large = before[name].abs() > 0.1
    # One step is about 4e-5; neighbours of 0.1 in bfloat16 are 4.9e-4 apart, so rounding each step would move nothing.
    assert (moved[large] > 0).float().mean() > 0.5
