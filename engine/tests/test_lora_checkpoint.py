"""Checkpoints and exports of an adapter: small, bound to their base, merged without a trace of peft."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from engine_support import (
    TEXTS,
    Transformers,
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
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText
from varft_engine.engine import Engine
from varft_engine.errors import VarftError
from varft_engine.lora import LoraSettings
from varft_engine.tiny import build_tiny
from varft_engine.trained import Trained

LORA = Trained(LoraSettings(4, 8))
EVERYWHERE = Trained(LoraSettings(4, 8, vision=True))


def train(engine: Engine, steps: int = 1) -> None:
    messages = [message("user", image(put(engine, png(71))), text("What number?"))]
    for number in range(steps):
        update(engine, [row(messages, record_of(engine, messages), [30, 31, 32 + number])])
        step(engine, learningRate=3e-3)


def bits(engine: Engine) -> dict[str, bytes]:
    weights = engine.model.network.named_parameters()
    return {name: weight.detach().view(torch.uint8).numpy().tobytes() for name, weight in weights}


@pytest.fixture(scope="module")
def saved(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    engine = Engine(tiny, trained=LORA)
    train(engine)
    target = tmp_path_factory.mktemp("saved") / "checkpoint"
    engine.save(str(target), {"prompt": "abc"})
    return target


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_resuming_is_bitwise_equal(tiny: Path, tmp_path: Path, dtype: str) -> None:
    undisturbed = Engine(tiny, dtype=dtype, trained=LORA)
    train(undisturbed, 2)
    saved = undisturbed.save(str(tmp_path / "checkpoint"), {})
    train(undisturbed, 2)
    # The base elsewhere, another seed, other steps before: nothing of it must show.
    resumed = Engine(shutil.copytree(tiny, tmp_path / "moved"), dtype=dtype, seed=5, trained=LORA)
    train(resumed)
    assert resumed.load(str(tmp_path / "checkpoint"), {}) == saved
    train(resumed, 2)
    assert bits(resumed) == bits(undisturbed)
    messages = [message("user", image(put(resumed, png(71))), text("What number?"))]
    answers = [sample(e, [(messages, [key(1)])], maxTokens=30)["results"] for e in (resumed, undisturbed)]
    assert answers[0] == answers[1]


def test_only_the_adapter_is_written(saved: Path, tiny: Path) -> None:
    names = {file.name for file in saved.iterdir()}
    assert names == {"adapter_model.safetensors", "adapter_config.json", "optimizer.safetensors", "manifest.json"}
    assert all(".lora_" in name for name in load_file(saved / "adapter_model.safetensors"))
    assert str(tiny) not in (saved / "adapter_config.json").read_text()
    manifest = json.loads((saved / "manifest.json").read_text())
    assert manifest["adapter"]["lora"] == {"rank": 4, "alpha": 8, "targets": "all-linear", "vision": False}


def test_the_digest_is_a_function_of_content(tiny: Path, tmp_path: Path, saved: Path) -> None:
    engine = Engine(shutil.copytree(tiny, tmp_path / "moved"), trained=LORA)
    train(engine)
    engine.save(str(tmp_path / "again"), {"prompt": "abc"})
    for file in saved.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def refused(engine: Engine, folder: Path) -> VarftError:
    before = bits(engine)
    with pytest.raises(VarftError) as caught:
        engine.load(str(folder), {})
    assert bits(engine) == before and engine.info()["policyVersion"] == 0
    return caught.value


def test_another_base_is_refused(saved: Path, tmp_path: Path) -> None:
    """Of the same architecture: only the digest tells them apart."""
    other = build_tiny(tmp_path / "other", seed=8, texts=TEXTS, initializer_range=0.15)
    error = refused(Engine(other, trained=LORA), saved)
    assert error.code == "checkpoint.mismatch" and error.details["name"] == "base"
    assert str(error.details["found"]) in error.message and str(error.details["expected"]) in error.message


@pytest.mark.parametrize(
    ("trained", "name"),
    [
        (Trained(LoraSettings(8, 8)), "lora"),
        (Trained(LoraSettings(4, 4)), "lora"),
        (Trained(LoraSettings(4, 8, ("q_proj",))), "lora"),
        (Trained(), "base"),
    ],
    ids=["rank", "alpha", "targets", "no adapter"],
)
def test_other_settings_are_refused(saved: Path, tiny: Path, trained: Trained, name: str) -> None:
    error = refused(Engine(tiny, trained=trained), saved)
    assert error.code == "checkpoint.mismatch" and error.details["name"] == name


def test_a_checkpoint_of_all_weights_is_refused(tiny: Path, tmp_path: Path) -> None:
    Engine(tiny).save(str(tmp_path / "full"), {})
    assert refused(Engine(tiny, trained=LORA), tmp_path / "full").details["name"] == "base"
    frozen = refused(Engine(tiny, trained=Trained(freeze_vision=True)), tmp_path / "full")
    assert frozen.details["name"] == "architecture" and " trains " in str(frozen.details["expected"])


def test_a_damaged_adapter_changes_nothing(saved: Path, tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved, tmp_path / "checkpoint")
    os.truncate(folder / "adapter_model.safetensors", 1000)
    error = refused(Engine(tiny, trained=LORA), folder)
    assert error.code == "checkpoint.corrupt" and error.details["file"] == "adapter_model.safetensors"


@pytest.mark.parametrize("trained", [LORA, EVERYWHERE], ids=["language", "vision"])
def test_a_merged_export_is_a_plain_folder(tiny: Path, tmp_path: Path, trained: Trained) -> None:
    """Plain transformers loads it; its logits are the unmerged network's within 1e-4, where the adapter moves them by
    more than 0.1; the worker's weights stay as they were, bit by bit.
    """
    engine = Engine(tiny, trained=trained)
    train(engine, 3)
    before = bits(engine)
    target = tmp_path / "exported"
    engine.export(str(target))
    assert bits(engine) == before
    assert {file.name for file in target.iterdir()} == {file.name for file in tiny.iterdir()}
    assert load_file(target / "model.safetensors").keys() == load_file(tiny / "model.safetensors").keys()
    merged, base = (AutoModelForImageTextToText.from_pretrained(path).eval() for path in (target, tiny))
    inputs = Transformers(tiny).inputs([{"role": "user", "content": [{"type": "image"}]}], [png(72)])
    with torch.no_grad():
        logits = [network(**inputs).logits for network in (merged, engine.model.network, base)]
    assert (logits[0] - logits[1]).abs().max() < 1e-4
    assert (logits[0] - logits[2]).abs().max() > 0.1
    again = Engine(target)
    assert again.info()["trained"]["lora"] is None


def test_a_bfloat16_merge_rounds_each_weight_once(tiny: Path, tmp_path: Path) -> None:
    """W + (alpha / rank) B A, by hand in float64, is within half a unit in bfloat16's last place."""
    engine = Engine(tiny, dtype="bfloat16", trained=LORA)
    train(engine, 3)
    engine.export(str(tmp_path / "exported"))
    name = "model.language_model.layers.1.mlp.down_proj"
    state = engine.model.network.state_dict()
    a, b = (state[f"{name}.lora_{letter}.default.weight"].double() for letter in "AB")
    exact = state[f"{name}.base_layer.weight"].double() + 2.0 * (b @ a)
    found = AutoModelForImageTextToText.from_pretrained(tmp_path / "exported").state_dict()[f"{name}.weight"]
    assert found.dtype == torch.bfloat16
    assert ((found.double() - exact).abs() <= exact.abs() * 2**-8).all()
    assert not torch.equal(found, state[f"{name}.base_layer.weight"])
