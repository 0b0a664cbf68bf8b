"""Checkpoints: resume bit by bit, export, and every way in which one can be wrong."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
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
from transformers import AutoModelForImageTextToText, AutoProcessor
from varft_engine.engine import Engine
from varft_engine.errors import VarftError
from varft_engine.tiny import Shape, build_tiny

PINS = {"protocol": "1", "prompt": "abc"}


def train(engine: Engine, steps: int = 1) -> None:
    messages = [message("user", image(put(engine, png(71))), text("What number?"))]
    for number in range(steps):
        update(engine, [row(messages, record_of(engine, messages), [30, 31, 32 + number])])
        step(engine)


def bits(engine: Engine) -> dict[str, bytes]:
    weights = engine.model.network.named_parameters()
    return {name: weight.detach().view(torch.uint8).numpy().tobytes() for name, weight in weights}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_resuming_is_bitwise_equal(tiny: Path, tmp_path: Path, dtype: str) -> None:
    undisturbed = Engine(tiny, dtype=dtype)
    train(undisturbed, 2)
    saved = undisturbed.save(str(tmp_path / "checkpoint"), PINS)
    train(undisturbed, 2)
    resumed = Engine(tiny, dtype=dtype)
    train(resumed)  # Whatever it did before must not show.
    loaded = resumed.load(str(tmp_path / "checkpoint"), PINS)
    assert loaded == saved and loaded["policyVersion"] == resumed.info()["policyVersion"] == 2
    train(resumed, 2)
    assert bits(resumed) == bits(undisturbed)
    messages = [message("user", image(put(resumed, png(71))), text("What number?"))]
    put(undisturbed, png(71))
    answers = [sample(e, [(messages, [key(1)])], maxTokens=30)["results"] for e in (resumed, undisturbed)]
    assert answers[0] == answers[1]


def test_the_digest_is_a_function_of_content(tiny: Path, tmp_path: Path) -> None:
    engines = [Engine(tiny), Engine(tiny)]
    for engine in engines:
        train(engine)
    first, second = (engine.save(str(tmp_path / f"c{i}"), PINS) for i, engine in enumerate(engines))
    assert first == second
    assert first["checkpointDigest"] == hashlib.sha256((tmp_path / "c0/manifest.json").read_bytes()).hexdigest()
    assert first["bytes"] == sum(file.stat().st_size for file in (tmp_path / "c0").iterdir())
    other = engines[0].save(str(tmp_path / "c2"), {**PINS, "prompt": "abd"})
    assert other["checkpointDigest"] != first["checkpointDigest"]


def test_export_is_a_plain_folder(engine: Engine, tiny: Path, tmp_path: Path) -> None:
    """Plain transformers reloads it: same logits, same prompt ids; no optimiser state in it."""
    train(engine)
    target = tmp_path / "exported"
    assert engine.export(str(target))["bytes"] == sum(file.stat().st_size for file in target.iterdir())
    assert {file.name for file in target.iterdir()} == {file.name for file in tiny.iterdir()}
    network = AutoModelForImageTextToText.from_pretrained(target).eval()
    inputs = Transformers(target).inputs([{"role": "user", "content": [{"type": "image"}]}], [png(72)])
    with torch.no_grad():
        assert torch.equal(network(**inputs).logits, engine.model.network(**inputs).logits)
    assert network.generation_config.eos_token_id == list(engine.model.end_token_ids)
    again = Engine(target)
    assert bits(again) == bits(engine) and again.info()["policyVersion"] == 0


@pytest.mark.skipif(
    importlib.util.find_spec("torchvision") is None, reason="AutoProcessor's video part needs torchvision"
)
def test_auto_processor_reloads_an_export(engine: Engine, tmp_path: Path) -> None:
    engine.export(str(tmp_path / "exported"))
    assert type(AutoProcessor.from_pretrained(tmp_path / "exported")).__name__ == "Qwen2_5_VLProcessor"


def test_an_existing_target_is_refused(engine: Engine, tmp_path: Path) -> None:
    for write in (lambda path: engine.save(path, {}), engine.export):
        target = tmp_path / "taken"
        target.mkdir(exist_ok=True)
        with pytest.raises(VarftError) as caught:
            write(str(target))
        assert caught.value.code == "checkpoint.exists" and str(target) in caught.value.message
        assert list(tmp_path.iterdir()) == [target]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def rewrite(change: Callable[[dict], None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        change(manifest)
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return damage


DAMAGES = {
    "a flipped bit in the weights": (lambda f: flip(f / "model.safetensors"), "checkpoint.corrupt"),
    "a flipped bit in the optimiser state": (lambda f: flip(f / "optimizer.safetensors"), "checkpoint.corrupt"),
    "truncated weights": (lambda f: os.truncate(f / "model.safetensors", 1000), "checkpoint.corrupt"),
    "an absent file": (lambda f: (f / "tokenizer.json").unlink(), "checkpoint.corrupt"),
    "a manifest that is no JSON": (lambda f: (f / "manifest.json").write_text("{"), "checkpoint.corrupt"),
    "a manifest of another shape": (lambda f: (f / "manifest.json").write_text("[]"), "checkpoint.corrupt"),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "checkpoint.missing"),
    "no folder": (shutil.rmtree, "checkpoint.missing"),
    "a newer format": (rewrite(lambda m: m.update(formatVersion=2)), "checkpoint.mismatch"),
    "another prompt": (rewrite(lambda m: m["pins"].update(prompt="abd")), "checkpoint.mismatch"),
    "an absent pin": (rewrite(lambda m: m["pins"].pop("prompt")), "checkpoint.mismatch"),
    "another architecture": (rewrite(lambda m: m.update(architecture="x")), "checkpoint.mismatch"),
}


@pytest.fixture(scope="module")
def saved(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    engine = Engine(tiny)
    train(engine)
    target = tmp_path_factory.mktemp("saved") / "checkpoint"
    engine.save(str(target), PINS)
    return target


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_changes_nothing(shared_engine: Engine, saved: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(saved, folder)
    apply, code = DAMAGES[damage]
    apply(folder)
    before = bits(shared_engine)
    with pytest.raises(VarftError) as caught:
        shared_engine.load(str(folder), PINS)
    assert caught.value.code == code
    assert bits(shared_engine) == before and shared_engine.info()["policyVersion"] == 0


def test_errors_name_both_values(shared_engine: Engine, saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(saved, folder)
    with pytest.raises(VarftError) as caught:
        shared_engine.load(str(folder), {"prompt": "xyz"})
    assert caught.value.details == {"name": "prompt", "found": "abc", "expected": "xyz"}
    expected = json.loads((folder / "manifest.json").read_text())["files"]["model.safetensors"]["sha256"]
    flip(folder / "model.safetensors")
    with pytest.raises(VarftError) as caught:
        shared_engine.load(str(folder), PINS)
    actual = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert caught.value.details == {"file": "model.safetensors", "expected": expected, "actual": actual}


def test_a_checkpoint_of_another_model(saved: Path, tmp_path: Path) -> None:
    larger = Engine(build_tiny(tmp_path / "larger", seed=0, texts=TEXTS, shape=Shape(hidden=96, heads=6)))
    with pytest.raises(VarftError) as caught:
        larger.load(str(saved), PINS)
    assert caught.value.code == "checkpoint.mismatch" and caught.value.details["name"] == "architecture"


FULL_DISK = """
import resource, sys, signal
from pathlib import Path
from varft_engine.engine import Engine
from varft_engine.errors import VarftError

engine, target = Engine(sys.argv[1]), Path(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in (100, 50_000, 1_000_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for write in (lambda path: engine.save(path, {}), engine.export):
        try:
            write(str(target))
        except VarftError as error:
            print(error.code, error.retryable, sorted(file.name for file in target.parent.iterdir()))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(engine.save(str(target), {})["bytes"] > 1_000_000)
"""


def test_a_full_disk_leaves_nothing_behind(tiny: Path, tmp_path: Path) -> None:
    """A file-size limit of the kernel stops the writes, at three places; afterwards the same worker saves well."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    (tmp_path / "room").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tiny), str(tmp_path / "room/checkpoint")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["checkpoint.disk_full False []"] * 6 + ["True"]


def test_a_folder_that_cannot_be_written(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VarftError) as caught:
        engine.save(str(tmp_path / "file" / "checkpoint"), {})
    assert caught.value.code == "checkpoint.unwritable"
