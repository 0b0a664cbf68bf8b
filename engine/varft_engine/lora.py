"""What a LoRA adapter is put on: settings, and the layers that they name. Knows no peft; `adapter.py` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, PreTrainedModel

from .errors import VarftError


@dataclass(frozen=True)
class LoraSettings:
    """W x + (alpha / rank) B A x with A [rank, in], B [out, rank] (arXiv 2106.09685). No dropout: the sampler and the
    trainer must give a token the same probability.
    """

    rank: int
    alpha: float
    targets: tuple[str, ...] | None = None
    """Names of linear layers, as `q_proj` or `self_attn.q_proj`; None: all of them."""
    vision: bool = False
    """Also layers outside the language model: the vision tower, its projector."""

    def __post_init__(self) -> None:
        """Raises `engine.bad_lora`."""
        if self.rank < 1:
            raise bad_lora(f"rank {self.rank}, expected at least 1", "Ranks of 8 to 64 are usual.")
        if not 0 < self.alpha < float("inf"):
            raise bad_lora(f"alpha {self.alpha}, expected above 0", "Once or twice the rank is usual.")
        if self.targets is not None and not all(self.targets or [""]):
            raise bad_lora(f"targets {list(self.targets)}, expected names of layers", "Say all-linear for all of them.")

    def shape(self) -> dict[str, Any]:
        """As the wire and a checkpoint's manifest have it."""
        targets = "all-linear" if self.targets is None else list(self.targets)
        return {"rank": self.rank, "alpha": self.alpha, "targets": targets, "vision": self.vision}


def bad_lora(problem: str, hint: str, **details: Any) -> VarftError:
    """`engine.bad_lora`."""
    return VarftError("engine.bad_lora", f"LoRA: {problem}", hint=hint, details=details)


def vision_tower(network: PreTrainedModel) -> torch.nn.Module | None:
    """The module that encodes images, in Qwen's networks with its merger; None where it has no usual name."""
    tower = network.get_encoder(modality="image")
    return None if tower is network or tower is network.base_model else tower


def freeze_vision(network: PreTrainedModel) -> None:
    """The tower's weights get no gradient and no optimiser state. Raises `engine.no_vision_tower`."""
    tower = vision_tower(network)
    if tower is None:
        raise VarftError(
            "engine.no_vision_tower",
            f"{type(network).__name__} has no module of a usual name that encodes images",
            hint="Set engine.freezeVision to false.",
        )
    tower.requires_grad_(False)


def target_layers(network: PreTrainedModel, settings: LoraSettings) -> list[str]:
    """Full names of the linear layers that the settings name, the output head excepted. Raises `engine.bad_lora`."""
    head = network.get_output_embeddings()
    linear = {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, torch.nn.Linear) and layer is not head
    }
    language = set(network.get_decoder().modules())
    scope = [name for name, layer in linear.items() if settings.vision or layer in language]
    if settings.targets is None:
        return scope
    unknown = [target for target in settings.targets if not any(_names(target, name) for name in scope)]
    if unknown:
        elsewhere = [target for target in unknown if any(_names(target, name) for name in linear)]
        raise bad_lora(
            f"targets {unknown} name no linear layer of {'the network' if settings.vision else 'the language model'};"
            f" there are {', '.join(_last_names(scope))}",
            f"{elsewhere} are in the vision part: set vision to true." if elsewhere else "Use names from that list.",
            unknown=unknown,
            known=_last_names(scope),
        )
    return [name for name in scope if any(_names(target, name) for target in settings.targets)]


def check_targets(path: Path, settings: LoraSettings) -> None:
    """Refuses unknown targets from `config.json` alone, before any weights are read. Raises `engine.bad_lora`."""
    config = AutoConfig.from_pretrained(path, local_files_only=True)
    with torch.device("meta"):
        target_layers(AutoModelForImageTextToText.from_config(config), settings)


def _names(target: str, layer: str) -> bool:
    return layer == target or layer.endswith(f".{target}")


def _last_names(layers: Sequence[str]) -> list[str]:
    return sorted({name.rpartition(".")[2] for name in layers})
