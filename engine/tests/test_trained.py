"""What is trained besides all weights: a frozen vision tower; and gradient checkpointing, which changes no bit."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_support import (
    cosine,
    gradients,
    image,
    key,
    message,
    png,
    put,
    record_of,
    row,
    sample,
    step,
    text,
    update,
)
from transformers import LlamaConfig, LlamaForCausalLM
from varft_engine.engine import Engine
from varft_engine.errors import VarftError
from varft_engine.lora import LoraSettings, freeze_vision
from varft_engine.trained import Trained

TOWER = "model.visual."


def one_update(engine: Engine) -> dict[str, Any]:
    messages = [message("user", image(put(engine, png(95))), text("Then "), image(put(engine, png(96, 96, 64))))]
    return update(engine, [row(messages, record_of(engine, messages), [30, 31, 32, last]) for last in (33, 34)])


def test_a_frozen_tower_has_no_gradient_no_state_and_does_not_move(tiny: Path) -> None:
    engine, full = Engine(tiny, trained=Trained(freeze_vision=True)), Engine(tiny)
    tower = {name: w.detach().clone() for name, w in engine.model.network.named_parameters() if name.startswith(TOWER)}
    assert len(tower) > 10
    for one in (engine, full):
        one_update(one)
    found, expected = gradients(engine), gradients(full)
    assert not any(name.startswith(TOWER) for name in found)
    assert any(name.startswith(TOWER) for name in expected)
    rest = {name: gradient for name, gradient in expected.items() if not name.startswith(TOWER)}
    assert found.keys() == rest.keys() and cosine(found, rest) > 1 - 1e-12
    step(engine)
    assert not any(name.startswith(TOWER) for name in engine._optimizer.state())
    weights = dict(engine.model.network.named_parameters())
    assert all(torch.equal(weights[name], before) for name, before in tower.items())
    assert engine.info()["trained"]["parameters"] == sum(w.numel() for w in weights.values()) - sum(
        w.numel() for w in tower.values()
    )


def test_a_network_without_a_known_tower_is_refused() -> None:
    config = LlamaConfig(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=9)
    with pytest.raises(VarftError) as caught:
        freeze_vision(LlamaForCausalLM(config))
    assert caught.value.code == "engine.no_vision_tower"


WAYS = {
    "all weights": Trained(),
    "frozen tower": Trained(freeze_vision=True),
    "adapter": Trained(LoraSettings(4, 8)),
    "adapter everywhere": Trained(LoraSettings(4, 8, vision=True)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gradient_checkpointing_changes_no_bit(tiny: Path, way: str, dtype: str) -> None:
    trained = WAYS[way]
    found, losses, calls = [], [], []
    for checkpointing in (False, True):
        engine = Engine(tiny, dtype=dtype, trained=Trained(trained.lora, trained.freeze_vision, checkpointing))
        one_update(engine)
        step(engine)
        count = 0

        def called(*_: Any) -> None:
            nonlocal count
            count += 1

        engine.model.network.model.language_model.layers[0].mlp.register_forward_pre_hook(called)
        engine.model.network.model.visual.blocks[0].mlp.register_forward_pre_hook(called)
        messages = [message("user", image(put(engine, png(95))), text("?"))]
        record = record_of(engine, messages)
        count = 0
        losses.append(update(engine, [row(messages, record, [30, 31, 32])])["loss"])
        calls.append(count)
        masters = engine._optimizer._masters
        found.append({name: m.grad.clone() for name, m in masters.items() if m.grad is not None})
    assert losses[0] == losses[1]
    assert found[0].keys() == found[1].keys() and len(found[0]) > 10
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    # Each layer once, and once more in the backward pass; a frozen tower's not, and its features may be remembered.
    language = [1, 2]
    if way in {"all weights", "adapter everywhere"}:
        tower = [1, 2]
    else:
        tower = [0, 0] if "mm_encoder_outputs" in inspect.signature(engine.model.network.forward).parameters else [1, 1]
    assert calls == [sum(pair) for pair in zip(language, tower, strict=True)]


def test_gradient_checkpointing_leaves_sampling_alone(tiny: Path) -> None:
    engines = [Engine(tiny, trained=Trained(gradient_checkpointing=value)) for value in (False, True)]
    answers = []
    for engine in engines:
        messages = [message("user", image(put(engine, png(95))), text("What number?"))]
        one_update(engine)
        step(engine)
        answers.append(sample(engine, [(messages, [key(k) for k in range(3)])], maxTokens=20)["results"])
        assert not any(module.training for module in engine.model.network.modules())
    assert answers[0] == answers[1]
