"""Which weights a worker trains: all of them, all but the vision tower's, or a LoRA adapter on a frozen base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch.utils.checkpoint import checkpoint

from .lora import LoraSettings, bad_lora, check_targets, freeze_vision
from .model import Model
from .model_files import check_files


@dataclass(frozen=True)
class Trained:
    """What is trained, and how its activations are kept. Without anything said: all weights."""

    lora: LoraSettings | None = None
    """An adapter on a frozen base."""
    freeze_vision: bool = False
    gradient_checkpointing: bool = False
    """Layers run again in the backward pass instead of keeping their activations: the same gradients, less memory."""

    def __post_init__(self) -> None:
        """Raises `engine.bad_lora`."""
        if self.lora is not None and self.lora.vision and self.freeze_vision:
            raise bad_lora("an adapter on the vision tower, and the tower frozen", "Set one of the two to false.")

    def check(self, path: Path) -> None:
        """Refuses what the checkpoint folder cannot do, before its weights are loaded. Raises `engine.bad_lora`."""
        if self.lora is not None:
            check_files(path)
            check_targets(path, self.lora)

    def prepared(self, model: Model, seed: int) -> Model:
        """The model with whatever is not trained frozen, its adapter in place. Raises `engine.no_vision_tower`."""
        if self.freeze_vision:
            freeze_vision(model.network)
        if self.lora is not None:
            # Only now: importing peft takes seconds.
            from .adapter import Adapter, base_digest

            adapter = Adapter(model.network, self.lora, base_digest(model.path), seed)
            model = replace(model, adapter=adapter)
        if self.gradient_checkpointing:
            # The public method has two names, and in older versions gives the tower's inputs a gradient, which then
            # runs through frozen layers. Without dropout there is no random state to restore.
            again = partial(checkpoint, use_reentrant=False, preserve_rng_state=False)
            model.network._set_gradient_checkpointing(enable=True, gradient_checkpointing_func=again)
        return model

    def shape(self, model: Model) -> dict[str, Any]:
        """`infoSchema.trained` of the wire."""
        weights = model.network.parameters()
        return {
            "parameters": sum(weight.numel() for weight in weights if weight.requires_grad),
            "lora": None if self.lora is None else self.lora.shape(),
            "freezeVision": self.freeze_vision,
            "gradientCheckpointing": self.gradient_checkpointing,
        }
