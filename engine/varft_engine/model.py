"""Loads any image-text-to-text checkpoint, after checking that its files are there and whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForImageTextToText, GenerationConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from .errors import VarftError
from .lora import vision_tower
from .model_files import check_files
from .processor import load_processor
from .qwen import QwenVision
from .rope import RopeVision
from .vision import Vision

if TYPE_CHECKING:
    # Importing peft takes seconds, and only LoRA needs it.
    from .adapter import Adapter

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

BANNED_CONFIG_FIELDS = (
    "image_token_id",
    "image_token_index",
    "video_token_id",
    "video_token_index",
    "vision_start_token_id",
    "vision_end_token_id",
    "vision_token_id",
    "boi_token_index",
    "eoi_token_index",
)
BANNED_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")

SUPPORTED_LAYERS = {"full_attention", "sliding_attention"}


@dataclass(frozen=True)
class Model:
    """A loaded checkpoint and what every room needs to know about it."""

    path: Path
    network: PreTrainedModel
    processor: Any
    tokenizer: Any
    template: str
    device: torch.device
    end_token_ids: tuple[int, ...]
    image_token_id: int
    banned_token_ids: tuple[int, ...]
    context_length: int
    vocabulary_size: int
    vision: Vision
    adapter: Adapter | None = None
    """None: the weights themselves are trained."""

    @property
    def template_sha256(self) -> str:
        """sha256 of the chat template's text."""
        return hashlib.sha256(self.template.encode()).hexdigest()

    @property
    def trains_vision(self) -> bool:
        """False when nothing that encodes images has a gradient: image features can then be reused."""
        tower = vision_tower(self.network) or self.network
        return any(weight.requires_grad for weight in tower.parameters())

    @property
    def architecture(self) -> str:
        """Class name of the network, as in `config.json`."""
        return type(self.network).__name__


def load_model(path: str | Path, device: str, dtype: str) -> Model:
    """Loads the checkpoint folder `path`.

    Raises `checkpoint.missing`, `checkpoint.corrupt`, `checkpoint.unsupported`.
    """
    path = Path(path)
    check_files(path)
    transformers_logging.disable_progress_bar()
    processor = _load_processor(path)
    tokenizer = processor.tokenizer
    network = load_network(path, dtype).to(device)
    text = network.config.get_text_config()
    layers = set(getattr(text, "layer_types", None) or ["full_attention"])
    if not layers <= SUPPORTED_LAYERS:
        raise VarftError(
            "checkpoint.unsupported",
            f"{path}: layers {sorted(layers - SUPPORTED_LAYERS)} cannot be padded and batched exactly",
        )
    return Model(
        path=path,
        network=network,
        processor=processor,
        tokenizer=tokenizer,
        template=_template(path, processor),
        device=torch.device(device),
        end_token_ids=_end_token_ids(path, network, tokenizer),
        image_token_id=_image_token_id(path, network, processor),
        banned_token_ids=_banned_token_ids(network, tokenizer),
        context_length=int(text.max_position_embeddings),
        vocabulary_size=int(network.get_output_embeddings().weight.shape[0]),
        vision=_vision_class(path, network)(network, torch.device(device)),
    )


def _load_processor(path: Path) -> Any:
    try:
        return load_processor(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise VarftError(
            "checkpoint.corrupt",
            f"{path}: transformers cannot load its processor and tokenizer: {str(error)[:500]}",
            hint="Copy preprocessor_config.json, the tokenizer's files and chat_template.jinja of the model here.",
        ) from error


def _vision_class(path: Path, network: PreTrainedModel) -> type[Vision]:
    """The most specific family that fits. Refuses networks whose attention or positions would be silently wrong."""
    for family in (QwenVision, RopeVision, Vision):
        if family.fits(network):
            return family
    raise VarftError(
        "checkpoint.unsupported",
        f"{path}: {type(network).__name__} needs token types or positions that the worker cannot give it",
        hint="Use a Qwen2-VL, Qwen2.5-VL, Qwen3-VL or LLaVA-like checkpoint, or add its family beside `rope.py`.",
    )


def load_network(path: Path, dtype: str) -> PreTrainedModel:
    """The weights alone, in evaluation mode on the CPU.

    Raises `checkpoint.corrupt` when a tensor is absent or of another shape.
    """
    try:
        network, report = AutoModelForImageTextToText.from_pretrained(
            path,
            dtype=DTYPES[dtype],
            attn_implementation="sdpa",
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise VarftError("checkpoint.corrupt", f"{path}: transformers cannot load it: {str(error)[:500]}") from error
    wrong = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if wrong:
        raise VarftError(
            "checkpoint.corrupt",
            f"{path}: {len(wrong)} tensors are absent or of another shape, the first is {wrong[0]}",
            hint="Copy the checkpoint again; its weights do not belong to its config.json.",
            details={"tensors": wrong[:20]},
        )
    return network.eval()


def _template(path: Path, processor: Any) -> str:
    template = processor.chat_template or processor.tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    if not isinstance(template, str):
        raise VarftError(
            "checkpoint.unsupported",
            f"{path} has no chat template",
            hint="Add the model's chat_template.jinja to the folder.",
        )
    return template


def _end_token_ids(path: Path, network: PreTrainedModel, tokenizer: Any) -> tuple[int, ...]:
    """End-of-turn tokens: the generation config's list, else the model's, else the tokenizer's."""
    generation: GenerationConfig = network.generation_config
    for value in (generation.eos_token_id, network.config.get_text_config().eos_token_id, tokenizer.eos_token_id):
        if value is not None:
            return tuple(value) if isinstance(value, (list, tuple)) else (int(value),)
    raise VarftError(
        "checkpoint.unsupported", f"{path} names no end token", hint="Add eos_token_id to generation_config.json."
    )


def _image_token_id(path: Path, network: PreTrainedModel, processor: Any) -> int:
    for owner, name in (
        (network.config, "image_token_id"),
        (network.config, "image_token_index"),
        (processor, "image_token_id"),
    ):
        value = getattr(owner, name, None)
        if isinstance(value, int):
            return value
    raise VarftError(
        "checkpoint.unsupported", f"{path} names no image token", hint="Use an image-text-to-text checkpoint."
    )


def _banned_token_ids(network: PreTrainedModel, tokenizer: Any) -> tuple[int, ...]:
    """Vision tokens: a sampled one would be taken for an image when the completion is trained on."""
    banned = {value for name in BANNED_CONFIG_FIELDS if isinstance(value := getattr(network.config, name, None), int)}
    vocabulary = tokenizer.get_vocab()
    banned |= {vocabulary[token] for token in BANNED_TOKENS if token in vocabulary}
    return tuple(sorted(banned))
