"""The files of a checkpoint folder: which must be there, and whether they can be read."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from .errors import VarftError


def check_files(path: Path) -> None:
    """Refuses a folder that cannot be a checkpoint, before any work: no folder, no config, unreadable JSON, truncated
    weights.
    """
    if not path.is_dir():
        raise VarftError(
            "checkpoint.missing",
            f"no checkpoint folder at {path}",
            hint="Give the path of a Hugging Face model folder.",
        )
    config = path / "config.json"
    if not config.is_file():
        raise VarftError(
            "checkpoint.missing", f"{path} holds no config.json", hint="Give the path of a Hugging Face model folder."
        )
    for file in sorted(path.glob("*.json")):
        try:
            json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise VarftError(
                "checkpoint.corrupt", f"{file} is not JSON: {error}", hint="Copy the checkpoint again."
            ) from error
    shards = weight_files(path)
    for shard in shards:
        if not shard.is_file():
            raise VarftError("checkpoint.missing", f"weights file {shard} is absent", hint="Copy the checkpoint again.")
        try:
            with safe_open(shard, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            raise VarftError(
                "checkpoint.corrupt",
                f"{shard} ({shard.stat().st_size} bytes) is damaged: {error}",
                hint="Copy the checkpoint again.",
            ) from error


def weight_files(path: Path) -> list[Path]:
    """The files that hold the weights of the folder, by its index where there is one."""
    index = path / "model.safetensors.index.json"
    if index.is_file():
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        return [path / name for name in sorted(names)]
    return [path / "model.safetensors"]
