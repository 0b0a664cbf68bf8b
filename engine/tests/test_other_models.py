"""The generic path: other image-text-to-text families, tiny and seeded, against their own forward."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engine_support import ids_of, image, key, logprobs_of, message, png, put, row, sample, text, update
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    AutoTokenizer,
    CLIPVisionConfig,
    Gemma3Config,
    LlamaConfig,
    LlavaConfig,
    LlavaProcessor,
    PreTrainedConfig,
    Qwen2VLConfig,
    Qwen3VLConfig,
    Qwen3VLProcessor,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from varft_engine.engine import Engine
from varft_engine.errors import VarftError

ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}


def token_ids(folder: Path) -> dict[str, int]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    names = {"image_token_id": "image_pad", "video_token_id": "video_pad"}
    names |= {f"vision_{side}_token_id": f"vision_{side}" for side in ("start", "end")}
    return {name: tokenizer.convert_tokens_to_ids(f"<|{token}|>") for name, token in names.items()}


def text_config(folder: Path, **changes: Any) -> dict[str, Any]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 1024,
        "eos_token_id": tokenizer.eos_token_id,
        "initializer_range": 0.15,
        **changes,
    }


def qwen2_vl(folder: Path) -> PreTrainedConfig:
    text_part = text_config(folder, rope_parameters=ROPE)
    text_part.pop("head_dim")
    vision = {"depth": 2, "embed_dim": 64, "hidden_size": 64, "num_heads": 4, "patch_size": 8, "mlp_ratio": 2}
    return Qwen2VLConfig(text_config=text_part, vision_config=vision, **token_ids(folder))


def qwen3_vl(folder: Path) -> PreTrainedConfig:
    vision = {
        "depth": 3,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 4,
        "patch_size": 8,
        "out_hidden_size": 64,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0, 1],
        "initializer_range": 0.15,
    }
    return Qwen3VLConfig(
        text_config=text_config(folder, rope_parameters={**ROPE, "mrope_interleaved": True}),
        vision_config=vision,
        **token_ids(folder),
    )


def llava(folder: Path) -> PreTrainedConfig:
    vision = CLIPVisionConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4, image_size=32, patch_size=8
    )
    image_processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    image_processor.save_pretrained(folder)
    settings = {
        "processor_class": "LlavaProcessor",
        "patch_size": 8,
        "vision_feature_select_strategy": "default",
        "num_additional_image_tokens": 1,
        "image_token": "<|image_pad|>",
    }
    (folder / "processor_config.json").write_text(json.dumps(settings))
    return LlavaConfig(
        text_config=LlamaConfig(**text_config(folder)),
        vision_config=vision,
        image_token_index=token_ids(folder)["image_token_id"],
    )


def build(tiny: Path, out: Path, configure: Callable[[Path], PreTrainedConfig]) -> Path:
    """The tiny checkpoint's tokenizer and template under another architecture."""
    shutil.copytree(tiny, out, ignore=shutil.ignore_patterns("config.json", "*.safetensors"))
    config = configure(out)
    torch.manual_seed(0)
    AutoModelForImageTextToText.from_config(config).save_pretrained(out)
    return out


def their_processor(folder: Path, name: str) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    template = (folder / "chat_template.jinja").read_text()
    if name == "llava":
        settings = json.loads((folder / "processor_config.json").read_text())
        settings.pop("processor_class")
        return LlavaProcessor(
            CLIPImageProcessorPil.from_pretrained(folder), tokenizer, chat_template=template, **settings
        )

    class ImagesOnly(Qwen3VLProcessor):
        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            return None if argument is None else super().check_argument_for_proper_class(argument_name, argument)

    return ImagesOnly(Qwen2VLImageProcessorPil.from_pretrained(folder), tokenizer, None, chat_template=template)


FAMILIES = {"qwen2_vl": qwen2_vl, "qwen3_vl": qwen3_vl, "llava": llava}


@pytest.mark.parametrize("name", FAMILIES)
def test_sampler_trainer_and_own_forward_agree(tiny: Path, tmp_path: Path, name: str) -> None:
    folder = build(tiny, tmp_path / name, FAMILIES[name])
    engine, processor = Engine(folder), their_processor(folder, name)
    network = AutoModelForImageTextToText.from_pretrained(folder).eval()
    banned = torch.tensor(engine.info()["model"]["bannedTokenIds"])
    rows, expected = [], []
    for pictures in ([png(1)], [png(2, 96, 64), png(3, 32, 64)]):
        ours = [message("user", *(image(put(engine, picture)) for picture in pictures), text("What number?"))]
        theirs = [
            {
                "role": "user",
                "content": [{"type": "image"}] * len(pictures) + [{"type": "text", "text": "What number?"}],
            }
        ]
        result = sample(engine, [(ours, [key(k) for k in range(3)])], maxTokens=12)["results"][0]
        prompt = processor.apply_chat_template(theirs, add_generation_prompt=True, tokenize=False)
        decoded = [Image.open(io.BytesIO(picture)) for picture in pictures]
        inputs = processor(text=[prompt], images=decoded, return_tensors="pt")
        assert result["prompt"]["length"] == inputs["input_ids"].shape[1]
        for completion in result["completions"]:
            ids = torch.tensor([ids_of(completion)])
            whole = {**inputs, "input_ids": torch.cat([inputs["input_ids"], ids], dim=1)}
            whole["attention_mask"] = torch.ones_like(whole["input_ids"])
            if "mm_token_type_ids" in inputs:
                whole["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(ids)], dim=1)
            with torch.no_grad():
                logits = network(**whole).logits[0, -ids.shape[1] - 1 : -1].index_fill(-1, banned, float("-inf"))
            values = torch.log_softmax(logits, -1).gather(1, ids[0][:, None])[:, 0].numpy()
            np.testing.assert_allclose(logprobs_of(completion), values, atol=1e-4)
            rows.append(row(ours, result["prompt"], ids_of(completion)))
            expected.append(values)
    answer = update(engine, rows)
    for trained, values in zip(answer["rows"], expected, strict=True):
        np.testing.assert_allclose(logprobs_of(trained), values, atol=1e-4)
    tower = [
        name for name, weight in engine.model.network.named_parameters() if "vis" in name and weight.grad is not None
    ]
    assert tower


def test_a_family_that_would_be_silently_wrong_is_refused(tiny: Path, tmp_path: Path) -> None:
    """Gemma 3 attends in both directions inside an image, by token types that the worker does not send."""

    def gemma3(folder: Path) -> PreTrainedConfig:
        vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
        text_part = text_config(folder, query_pre_attn_scalar=16)
        return Gemma3Config(
            text_config=text_part,
            vision_config={**vision, "image_size": 32, "patch_size": 8},
            mm_tokens_per_image=4,
            image_token_index=token_ids(folder)["image_token_id"],
        )

    folder = build(tiny, tmp_path / "gemma3", gemma3)
    with pytest.raises(VarftError) as caught:
        Engine(folder)
    assert caught.value.code == "checkpoint.unsupported" and "Gemma3" in caught.value.message
