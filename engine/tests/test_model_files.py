"""Starting on a folder that is no whole checkpoint: said before any work, naming the file."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from varft_engine.engine import Engine
from varft_engine.errors import VarftError


def drop_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("model.norm.weight")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def reshape_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] = torch.ones(3)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def missing_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


Damage = tuple[Callable[[Path], object], str, str]
DAMAGES: dict[str, Damage] = {
    "no folder": (shutil.rmtree, "checkpoint.missing", "no checkpoint folder"),
    "no config": (lambda f: (f / "config.json").unlink(), "checkpoint.missing", "config.json"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "checkpoint.missing", "model.safetensors"),
    "a missing shard": (missing_shard, "checkpoint.missing", "model-00001-of-00002.safetensors"),
    "no template": (lambda f: (f / "chat_template.jinja").unlink(), "checkpoint.unsupported", "chat template"),
    "broken config": (lambda f: (f / "config.json").write_text("{"), "checkpoint.corrupt", "config.json"),
    "broken tokenizer": (lambda f: os.truncate(f / "tokenizer.json", 99), "checkpoint.corrupt", "tokenizer.json"),
    "truncated weights": (
        lambda f: os.truncate(f / "model.safetensors", 5000),
        "checkpoint.corrupt",
        "model.safetensors",
    ),
    "an absent tensor": (drop_tensor, "checkpoint.corrupt", "norm.weight"),
    "a tensor of another shape": (reshape_tensor, "checkpoint.corrupt", "norm.weight"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "checkpoint.corrupt", "tokenizer"),
    "no image processor": (lambda f: (f / "preprocessor_config.json").unlink(), "checkpoint.corrupt", "processor"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_refused_with_the_file_named(tiny: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    apply, code, words = DAMAGES[damage]
    apply(folder)
    with pytest.raises(VarftError) as caught:
        Engine(folder)
    assert caught.value.code == code
    assert words in caught.value.message and str(folder) in caught.value.message
    assert len(caught.value.message) < 1500


def test_bad_device_and_dtype(tiny: Path) -> None:
    for changes, code in (({"device": "abacus"}, "engine.bad_device"), ({"dtype": "float8"}, "engine.bad_dtype")):
        with pytest.raises(VarftError) as caught:
            Engine(tiny, **changes)
        assert caught.value.code == code


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there(tiny: Path) -> None:
    with pytest.raises(VarftError, match="sees no GPU") as caught:
        Engine(tiny, device="cuda")
    assert caught.value.code == "engine.bad_device"
