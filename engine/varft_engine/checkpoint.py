"""Checkpoints on disk: written beside the target, synced, renamed; verified file by file before anything is loaded.

A checkpoint folder is a Hugging Face folder (weights, config, tokenizer, processor, template), or with LoRA the two
files of peft's format alone, plus `optimizer.safetensors` and `manifest.json`, which holds the sha256 of every other
file and, with LoRA, names the base by digest. Nothing in it depends on the clock or on where the base lies.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from .digest import file_sha256
from .errors import VarftError
from .model import Model, load_network
from .model_files import check_files
from .optimizer import Optimizer

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
OPTIMIZER = "optimizer.safetensors"

WRITTEN_BY_NETWORK = {"config.json", "generation_config.json"}
COPIED = {".json", ".jinja", ".txt", ".model", ".tiktoken"}

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DISK_FULL_TEXT = re.compile(r"os error (28|27|122)\b|no space left|file too large", re.IGNORECASE)


@dataclass(frozen=True)
class Saved:
    """What a checkpoint is known by."""

    digest: str
    bytes: int
    policy_version: int

    def result(self) -> dict[str, Any]:
        """`saveResultSchema` of the wire."""
        return {"checkpointDigest": self.digest, "bytes": self.bytes, "policyVersion": self.policy_version}


def save(target: Path, model: Model, optimizer: Optimizer, policy_version: int, pins: dict[str, str]) -> Saved:
    """Writes the checkpoint `target`. Raises `checkpoint.exists`, `checkpoint.disk_full`, `checkpoint.unwritable`."""

    def write(folder: Path) -> None:
        if model.adapter is None:
            _write_network(folder, model)
        else:
            model.adapter.write(folder, base_path=None)
        save_file({name: tensor.contiguous().cpu() for name, tensor in optimizer.state().items()}, folder / OPTIMIZER)
        manifest = {
            "formatVersion": FORMAT_VERSION,
            "policyVersion": policy_version,
            "pins": pins,
            "architecture": _architecture(model),
            **({} if model.adapter is None else {"adapter": model.adapter.identity()}),
            "files": {
                file.name: {"sha256": file_sha256(file), "bytes": file.stat().st_size}
                for file in sorted(folder.iterdir())
            },
        }
        text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")

    size = _publish(target, write)
    return Saved(file_sha256(target / MANIFEST), size, policy_version)


def export(target: Path, model: Model, form: str) -> dict[str, Any]:
    """Writes a plain Hugging Face folder (`merged`), or the adapter alone in peft's format (`adapter`).

    `exportResultSchema`. Raises as `save` does, and `engine.no_adapter`.
    """
    adapter = model.adapter
    if form == "merged":
        return {"bytes": _publish(target, lambda folder: _write_network(folder, model))}
    if adapter is None:
        raise VarftError(
            "engine.no_adapter",
            f"cannot export an adapter to {target}: this worker trains the weights themselves",
            hint="Export merged, or start the worker with LoRA.",
        )
    return {"bytes": _publish(target, lambda folder: adapter.write(folder, base_path=model.path.resolve()))}


def load(source: Path, model: Model, optimizer: Optimizer, pins: dict[str, str]) -> Saved:
    """Verifies the whole checkpoint, then takes over weights and optimiser state.

    Raises `checkpoint.missing`, `checkpoint.corrupt`, `checkpoint.mismatch`; the worker is then as it was before.
    """
    manifest = _verified_manifest(source)
    no_adapter = {"base": None, "lora": None}
    ours = no_adapter if model.adapter is None else model.adapter.identity()
    expected = {**ours, "architecture": _architecture(model), **pins}
    found = {**(manifest.get("adapter") or no_adapter), "architecture": manifest["architecture"], **manifest["pins"]}
    for name, value in expected.items():
        if found.get(name) != value:
            raise VarftError(
                "checkpoint.mismatch",
                f"{source}: {name} is {found.get(name)!r}, this run needs {value!r}",
                hint="Resume with the recipe, prompts and model that it was written with, or start a new run.",
                details={"name": name, "found": found.get(name), "expected": value},
            )
    state = load_file(source / OPTIMIZER)
    if model.adapter is None:
        check_files(source)
        dtype = str(model.network.dtype).removeprefix("torch.")
        model.network.load_state_dict(load_network(source, dtype).state_dict())
    else:
        model.adapter.read(source)
    optimizer.restore(state)
    size = sum(entry["bytes"] for entry in manifest["files"].values()) + (source / MANIFEST).stat().st_size
    return Saved(file_sha256(source / MANIFEST), size, manifest["policyVersion"])


def _architecture(model: Model) -> str:
    """Class and shape of the network and, unless all of it is, what of it is trained: one comparable string."""
    weights = sorted(model.network.named_parameters())
    shapes = [(name, list(weight.shape)) for name, weight in weights]
    trained = [name for name, weight in weights if weight.requires_grad]
    dtype = str(model.network.dtype).removeprefix("torch.")
    part = "" if len(trained) == len(weights) else f" trains {_short_digest(trained)}"
    return f"{model.architecture} {dtype} {_short_digest(shapes)}{part}"


def _short_digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def _write_network(folder: Path, model: Model) -> None:
    """Weights, an adapter merged, and config by transformers; tokenizer, processor and template as they came, byte by
    byte.
    """
    model.network.save_pretrained(folder, state_dict=None if model.adapter is None else model.adapter.merged())
    for file in sorted(model.path.iterdir()):
        own = file.name in WRITTEN_BY_NETWORK or file.name == MANIFEST or file.name.endswith(".index.json")
        if file.is_file() and file.suffix in COPIED and not own:
            shutil.copyfile(file, folder / file.name)


def _publish(target: Path, write: Callable[[Path], None]) -> int:
    """Runs `write` on a folder beside `target`, syncs it and renames it; returns its bytes.

    On failure nothing is left.
    """
    if target.exists():
        raise VarftError(
            "checkpoint.exists", f"{target} exists already", hint="Choose another folder, or remove this one yourself."
        )
    with _disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f".{target.name}.{os.getpid()}.partial"
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            temporary.mkdir()
            write(temporary)
            files = sorted(temporary.iterdir())
            for file in files:
                file.chmod(0o644)
                _sync(file)
            _sync(temporary)
            size = sum(file.stat().st_size for file in files)
            temporary.rename(target)
            _sync(target.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return size


@contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except VarftError:
        raise
    except Exception as error:
        # safetensors reports the operating system's error as text only.
        if (isinstance(error, OSError) and error.errno in DISK_FULL) or DISK_FULL_TEXT.search(str(error)):
            raise VarftError(
                "checkpoint.disk_full",
                f"no room to write {target}: {error}",
                hint="Free space or save elsewhere; nothing was left behind, and the worker goes on.",
                details={"path": str(target)},
            ) from error
        if isinstance(error, OSError):
            raise VarftError(
                "checkpoint.unwritable",
                f"cannot write {target}: {error}",
                hint="Choose a folder that you may write to.",
            ) from error
        raise


def _verified_manifest(source: Path) -> dict[str, Any]:
    path = source / MANIFEST
    if not path.is_file():
        raise VarftError(
            "checkpoint.missing",
            f"no checkpoint at {source} ({MANIFEST} is absent)",
            hint="Give a folder that `save` wrote.",
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, files = manifest["formatVersion"], manifest["files"]
        entries = [(name, entry["sha256"], entry["bytes"]) for name, entry in files.items()]
        _ = manifest["policyVersion"], manifest["architecture"], manifest["pins"], {**manifest.get("adapter", {})}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VarftError(
            "checkpoint.corrupt", f"{path} is damaged: {error!r}", hint="Resume from an earlier checkpoint."
        ) from error
    if version != FORMAT_VERSION:
        raise VarftError(
            "checkpoint.mismatch",
            f"{source}: formatVersion is {version!r}, this worker reads {FORMAT_VERSION}",
            hint="Use the version of visual-arft that wrote it.",
            details={"name": "formatVersion", "found": version, "expected": FORMAT_VERSION},
        )
    for name, sha256, size in entries:
        file = source / name
        actual = file_sha256(file) if file.is_file() else None
        if actual != sha256:
            found = "is absent" if actual is None else f"has sha256 {actual} ({file.stat().st_size} bytes)"
            raise VarftError(
                "checkpoint.corrupt",
                f"{file} {found}, the manifest says {sha256} ({size} bytes)",
                hint="Resume from an earlier checkpoint.",
                details={"file": name, "expected": sha256, "actual": actual},
            )
    return manifest


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
