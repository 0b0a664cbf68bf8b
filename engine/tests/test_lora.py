"""LoRA: against plain peft, the base as the reference, what is trained, refusals before any weights are read."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

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
    record_of,
    row,
    sample,
    score,
    step,
    text,
    update,
)
from peft import PeftModel
from test_other_models import build, llava, qwen2_vl, qwen3_vl
from varft_engine.__main__ import serve_parser, training_choice
from varft_engine.engine import Engine
from varft_engine.errors import VarftError
from varft_engine.lora import LoraSettings
from varft_engine.trained import Trained

SETTINGS = [LoraSettings(4, 8), LoraSettings(4, 4, ("q_proj", "mlp.up_proj")), LoraSettings(3, 6, vision=True)]
TOKENS = [30, 31, 32, 33]


def named(settings: LoraSettings) -> str:
    return "+".join(settings.targets or ["all"]) + ("+vision" if settings.vision else "")


def adapted(path: Path, settings: LoraSettings = SETTINGS[0], **options: Any) -> Engine:
    return Engine(path, trained=Trained(settings), **options)


def rows_of(engine: Engine) -> list[dict[str, Any]]:
    messages = [message("user", image(put(engine, png(91))), text("What number?"))]
    return [row(messages, record_of(engine, messages), TOKENS)]


def train(engine: Engine, steps: int = 2) -> None:
    for _ in range(steps):
        update(engine, rows_of(engine))
        step(engine)


def bits(engine: Engine, *, trained: bool) -> dict[str, bytes]:
    weights = engine.model.network.named_parameters()
    chosen = [(name, weight) for name, weight in weights if weight.requires_grad == trained]
    return {name: weight.detach().view(torch.uint8).numpy().tobytes() for name, weight in chosen}


@pytest.mark.parametrize("settings", SETTINGS, ids=named)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_reference_is_the_frozen_base_bit_by_bit(tiny: Path, settings: LoraSettings, dtype: str) -> None:
    """Without a second copy of it: also after training, after sampling, and with an adapted vision tower."""
    base, engine = Engine(tiny, dtype=dtype), adapted(tiny, settings, dtype=dtype)
    expected = score(base, rows_of(base))[0]
    rows = rows_of(engine)
    assert np.array_equal(score(engine, rows)[0], expected), "before the first step the policy is the base"
    train(engine)
    policy = score(engine, rows)[0]
    assert np.abs(policy - expected).max() > 1e-2
    assert np.array_equal(score(engine, rows, "reference")[0], expected)
    assert np.array_equal(score(engine, rows)[0], policy), "the adapter is on again"
    assert engine._reference is not None and engine._reference.network is engine.model.network


@pytest.mark.parametrize("settings", SETTINGS, ids=named)
def test_logprobs_and_gradients_equal_plain_pefts(
    tiny: Path, tmp_path: Path, plain: Transformers, settings: LoraSettings
) -> None:
    """Our forward against peft's own on an exported adapter: log-probabilities below 1e-4, gradients of A and B."""
    engine = adapted(tiny, settings)
    train(engine)
    engine.export(str(tmp_path / "adapter"), "adapter")
    theirs = Transformers(tiny)
    theirs.network = PeftModel.from_pretrained(theirs.network, str(tmp_path / "adapter"), is_trainable=True).eval()
    conversation = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What number?"}]}]
    words = "<think>Now I can read the number.</think><answer>427</answer>"
    token_ids = plain.tokenizer(words)["input_ids"]
    inputs = theirs.inputs(conversation, [png(91)], words)
    expected = theirs.logprobs(inputs, len(token_ids), engine.info()["model"]["bannedTokenIds"])
    (-expected.sum()).backward()

    messages = [message("user", image(put(engine, png(91))), text("What number?"))]
    result = update(engine, [row(messages, record_of(engine, messages), token_ids)])
    difference = np.abs(logprobs_of(result["rows"][0]) - expected.detach().numpy()).max()
    assert difference < 1e-4
    found = {name.removeprefix("base_model.model."): w for name, w in theirs.network.named_parameters()}
    grads = {name: weight.grad for name, weight in found.items() if weight.grad is not None}
    assert cosine(gradients(engine), grads) > 1 - 1e-9  # type: ignore[arg-type]


def test_the_base_model_name_is_where_peft_looks_for_it(tiny: Path, tmp_path: Path) -> None:
    engine = adapted(tiny)
    engine.export(str(tmp_path / "adapter"), "adapter")
    config = (tmp_path / "adapter/adapter_config.json").read_text()
    assert f'"base_model_name_or_path": "{tiny.resolve()}"' in config
    with pytest.raises(VarftError) as caught:
        Engine(tiny).export(str(tmp_path / "none"), "adapter")
    assert caught.value.code == "engine.no_adapter"


def test_only_the_adapter_is_trained(tiny: Path) -> None:
    full, engine = Engine(tiny), adapted(tiny)
    frozen = bits(engine, trained=False)
    before = bits(engine, trained=True)
    train(engine)
    assert bits(engine, trained=False) == frozen
    assert all(".lora_" in name for name in before)
    after = bits(engine, trained=True)
    assert all(after[name] != before[name] for name in before)
    assert {name.rpartition("/")[0] for name in engine._optimizer.state()} == set(before)
    counts = [one.info()["trained"]["parameters"] for one in (full, engine)]
    assert counts == [full.info()["model"]["parameters"], 4 * 2 * (6 * 64 + 64 + 32 + 64 + 32 + 64 + 3 * 192)]


def test_the_seed_decides_the_adapter(tiny: Path) -> None:
    first, again, other = (bits(adapted(tiny, seed=seed), trained=True) for seed in (3, 3, 4))
    assert first == again and first != other


@pytest.mark.parametrize("settings", SETTINGS, ids=named)
def test_sampler_and_trainer_agree_and_learning_helps(tiny: Path, settings: LoraSettings) -> None:
    """The sampler runs the adapter too; a rewarded completion becomes likelier."""
    engine = adapted(tiny, settings)
    messages = [message("user", image(put(engine, png(91))), text("What number?"))]
    sums = []
    for _ in range(4):
        result = sample(engine, [(messages, [key(k) for k in range(3)])], maxTokens=8)["results"][0]
        rows = [row(messages, result["prompt"], ids_of(one), [0.0]) for one in result["completions"]]
        answers = update(engine, [*rows, row(messages, result["prompt"], TOKENS, [1.0])])["rows"]
        for trained, sampled in zip(answers, result["completions"], strict=False):
            assert np.abs(logprobs_of(trained) - logprobs_of(sampled)).max() < 1e-4
        sums.append(float(logprobs_of(answers[-1]).sum()))
        step(engine, learningRate=3e-3, weightDecay=0.0)
    assert all(later > earlier for earlier, later in itertools.pairwise(sums)), sums


def test_bfloat16_keeps_float32_masters_of_the_adapter(tiny: Path) -> None:
    """Steps far below bfloat16's resolution add up instead of vanishing."""
    engine = adapted(tiny, dtype="bfloat16")
    weight = dict(engine.model.network.named_parameters())[
        "model.language_model.layers.0.mlp.up_proj.lora_A.default.weight"
    ]
    before = weight.detach().clone()
    assert before.dtype == torch.bfloat16
    for _ in range(30):
        update(engine, rows_of(engine))
        step(engine, learningRate=4e-5, weightDecay=0.0)
    large = before.abs() > 0.0625
    # One step is about 4e-5; neighbours of 0.0625 in bfloat16 are 4.9e-4 apart, so rounding each would move nothing.
    assert ((weight.detach() - before).abs()[large] > 0).float().mean() > 0.5


REFUSALS = {
    "rank 0": (lambda: LoraSettings(0, 8), "rank 0, expected at least 1"),
    "alpha 0": (lambda: LoraSettings(8, 0), "alpha 0, expected above 0"),
    "no targets": (lambda: LoraSettings(8, 8, ()), "targets []"),
    "frozen and adapted": (lambda: Trained(LoraSettings(8, 8, vision=True), freeze_vision=True), "tower frozen"),
}


@pytest.mark.parametrize("settings", REFUSALS)
def test_impossible_settings_are_refused(settings: str) -> None:
    make, words = REFUSALS[settings]
    with pytest.raises(VarftError, match=words.replace("[", r"\[")) as caught:
        make()
    assert caught.value.code == "engine.bad_lora"


@pytest.mark.parametrize(
    ("target", "hint"),
    [("q_prj", "Use names from that list"), ("qkv", "vision part: set vision to true"), ("lm_head", "")],
)
def test_unknown_targets_name_the_known_before_weights_are_read(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, target: str, hint: str
) -> None:
    def no_weights(*_: Any) -> None:
        raise AssertionError("the weights were read")

    monkeypatch.setattr("varft_engine.engine.load_model", no_weights)
    with pytest.raises(VarftError) as caught:
        adapted(tiny, LoraSettings(8, 8, ("v_proj", target)))
    assert caught.value.code == "engine.bad_lora" and hint in (caught.value.hint or "")
    known = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert caught.value.details == {"unknown": [target], "known": known}
    assert ", ".join(known) in caught.value.message


@pytest.mark.parametrize("configure", [llava, qwen2_vl, qwen3_vl], ids=lambda family: family.__name__)
def test_other_families(tiny: Path, tmp_path: Path, configure: Any) -> None:
    """The base as the reference, a merged export, and what the vision part is."""
    folder = build(tiny, tmp_path / "model", configure)
    base, engine = Engine(folder), adapted(folder, LoraSettings(4, 8, vision=True))
    expected = score(base, rows_of(base))[0]
    train(engine)
    rows = rows_of(engine)
    assert np.array_equal(score(engine, rows, "reference")[0], expected)
    policy = score(engine, rows)[0]
    assert np.abs(policy - expected).max() > 1e-3
    engine.export(str(tmp_path / "merged"))
    merged = Engine(tmp_path / "merged")
    np.testing.assert_allclose(score(merged, rows_of(merged))[0], policy, atol=1e-4, rtol=0)
    language = adapted(folder).model.network.named_parameters()
    assert not any("vis" in name or "projector" in name for name, weight in language if weight.requires_grad)
    frozen = Engine(folder, trained=Trained(freeze_vision=True)).model
    assert not frozen.trains_vision and any(weight.requires_grad for weight in frozen.network.parameters())


@pytest.mark.parametrize("arguments", [["--lora-rank", "4"], ["--lora-vision"], ["--lora-targets", "q_proj"]])
def test_half_of_an_adapter_is_refused(arguments: list[str]) -> None:
    with pytest.raises(VarftError) as caught:
        training_choice(serve_parser().parse_args(["--model", "m", *arguments]))
    assert caught.value.code == "config.bad_argument" and "--lora-alpha" in caught.value.message


def test_arguments_of_serve() -> None:
    words = (
        "--model m --lora-rank 4 --lora-alpha 8 --lora-targets q_proj,up_proj --lora-vision --gradient-checkpointing"
    )
    expected = Trained(LoraSettings(4, 8.0, ("q_proj", "up_proj"), True), gradient_checkpointing=True)
    assert training_choice(serve_parser().parse_args(words.split())) == expected
    assert training_choice(serve_parser().parse_args(["--model", "m"])) == Trained()
