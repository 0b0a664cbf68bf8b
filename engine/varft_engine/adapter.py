"""A LoRA adapter inside a network, by peft: on for the policy, off for the reference, apart on disk, merged on export.

The layers are put into the network in place, so whoever runs the network runs the adapter: sampler and trainer alike.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.lora import Linear
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from .digest import file_sha256
from .lora import LoraSettings, target_layers
from .model_files import weight_files

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
NAME = "default"


class Adapter:
    """The only trained weights of a network, and the frozen base beneath them."""

    def __init__(self, network: PreTrainedModel, settings: LoraSettings, base_sha256: str, seed: int) -> None:
        """Puts the adapter into `network` and freezes the rest. The policy is the base until the first step."""
        self._network = network
        self._settings = settings
        self._base_sha256 = base_sha256
        config = LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=0.0,
            bias="none",
            target_modules=target_layers(network, settings),
        )
        # In the network's dtype: the optimizer keeps float32 masters of these weights as of all others.
        self._peft = get_peft_model(network, config, autocast_adapter_dtype=False)
        network.eval()
        self._layers = {
            name.removesuffix(".base_layer"): layer
            for name, layer in network.named_modules()
            if isinstance(layer, Linear)
        }
        self._initialise(seed)

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree on: the base's digest and the settings."""
        return {"base": self._base_sha256, "lora": self._settings.shape()}

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Inside, the network is the frozen base, bit by bit: its layers alone are called."""
        with self._peft.disable_adapter():
            yield

    def write(self, folder: Path, base_path: Path | None) -> None:
        """The two files of peft's own format. `base_path` is where peft shall look for the base; None: not said."""
        state = get_peft_model_state_dict(self._peft, adapter_name=NAME, save_embedding_layers=False)
        tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in state.items()}
        save_file(tensors, folder / WEIGHTS, {"format": "pt"})
        config = self._peft.peft_config[NAME].to_dict()
        config |= {"inference_mode": True, "base_model_name_or_path": None if base_path is None else str(base_path)}
        # Sets are sorted: the file is a function of the settings.
        text = json.dumps(config, indent=2, sort_keys=True, default=sorted) + "\n"
        (folder / CONFIG).write_text(text, encoding="utf-8")

    def read(self, folder: Path) -> None:
        """Takes over the weights of a folder that `write` made with the same settings."""
        set_peft_model_state_dict(self._peft, load_file(folder / WEIGHTS), adapter_name=NAME)

    def merged(self) -> dict[str, torch.Tensor]:
        """The state of an ordinary network: W + (alpha / rank) B A, summed in float32 and rounded once; the network is
        left as it is.
        """
        state: dict[str, torch.Tensor] = {}
        for name, tensor in self._network.state_dict().items():
            if ".lora_" in name:
                continue
            plain = name.replace(".base_layer.", ".")
            layer = self._layers.get(plain.removesuffix(".weight")) if plain.endswith(".weight") else None
            state[plain] = tensor if layer is None else _merged_weight(layer)
        return state

    @torch.no_grad()
    def _initialise(self, seed: int) -> None:
        """B = 0 and A uniform in +-1/sqrt(in), by seed and layer name alone: the same on every device."""
        for name, layer in self._layers.items():
            site = hashlib.sha256(f"{seed} {name}".encode()).digest()
            generator = torch.Generator().manual_seed(int.from_bytes(site[:8], "little", signed=True))
            a, b = layer.lora_A[NAME].weight, layer.lora_B[NAME].weight
            draw = torch.empty(a.shape)
            torch.nn.init.kaiming_uniform_(draw, a=math.sqrt(5), generator=generator)
            a.copy_(draw)
            b.zero_()


@torch.no_grad()
def _merged_weight(layer: Linear) -> torch.Tensor:
    weight = layer.get_base_layer().weight
    a, b = layer.lora_A[NAME].weight.float(), layer.lora_B[NAME].weight.float()
    return (weight.float() + layer.scaling[NAME] * (b @ a)).to(weight.dtype)


def base_digest(path: Path) -> str:
    """sha256 over the names and sha256s of the base's config and weight files, wherever the folder lies."""
    files = [path / "config.json", *weight_files(path)]
    lines = "".join(f"{file_sha256(file)}  {file.name}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()
