"""What the tests of the torch core share: texts, images, messages and requests in the wire's shapes, and transformers
by itself.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from varft_engine.arrays import decode_float32, decode_int32, encode_float32, encode_int32
from varft_engine.engine import Engine

TEXTS = [
    "<think>The image is rotated by 90 degrees.</think><problem>{'rotation90'}</problem>",
    "<think>I turn it back.</think><code>```python\nimport cv2\nimage = cv2.imread('path_to_input_image.jpg')\n"
    "image = cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)\ncv2.imwrite('path_to_output_image.jpg', image)\n```</code>",
    "<think>Now I can read the number.</think><answer>427</answer>",
    "What number does the image show? <query> Read it. </query>",
]

PIXELS = {"min": None, "max": None}
Message = dict[str, Any]


def never() -> bool:
    """Nobody cancels."""
    return False


def png(seed: int, width: int = 64, height: int = 64) -> bytes:
    """A seeded noise image."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def put(engine: Engine, data: bytes) -> str:
    """Uploads an image and returns its sha256."""
    sha256 = hashlib.sha256(data).hexdigest()
    engine.put_image(sha256, data)
    return sha256


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "text": content}


def image(sha256: str) -> dict[str, Any]:
    return {"type": "image", "sha256": sha256}


def sampled(token_ids: Sequence[int]) -> dict[str, Any]:
    return {"type": "sampled", "text": "", "tokenIds": encode_int32(token_ids)}


def message(role: str, *parts: dict[str, Any]) -> Message:
    return {"role": role, "content": list(parts)}


def key(*site: object) -> str:
    """A noise key."""
    return hashlib.sha256(repr(site).encode()).hexdigest()[:16]


def sampling(**changes: Any) -> dict[str, Any]:
    """Plain sampling at temperature 1, with changes."""
    plain = {"temperature": 1.0, "topP": 1.0, "topK": 0, "repetitionPenalty": 1.0, "maxTokens": 12, "stop": []}
    return {**plain, **changes}


def sample(
    engine: Engine, prompts: Sequence[tuple[list[Message], list[str]]], pixels: dict[str, Any] = PIXELS, **changes: Any
) -> dict[str, Any]:
    """Samples for (messages, keys) pairs."""
    request = {
        "prompts": [{"messages": messages, "keys": keys} for messages, keys in prompts],
        "sampling": sampling(**changes),
        "pixels": pixels,
    }
    return engine.sample(request, never)


def record_of(engine: Engine, messages: list[Message], pixels: dict[str, Any] = PIXELS) -> dict[str, Any]:
    """The prompt record that the worker gives."""
    return sample(engine, [(messages, [key("record")])], pixels, maxTokens=1)["results"][0]["prompt"]


def row(
    messages: list[Message],
    record: dict[str, Any],
    token_ids: Sequence[int],
    advantages: Sequence[float] = (1.0,),
    old: Sequence[float] | None = None,
) -> dict[str, Any]:
    """A row of `forward_backward` (and of `logprobs`, which ignores the arrays)."""
    return {
        "messages": messages,
        "prompt": {name: record[name] for name in ("digest", "ids", "images")},
        "tokenIds": encode_int32(token_ids),
        "text": None,
        "advantages": encode_float32(advantages),
        "oldLogprobs": None if old is None else encode_float32(old),
    }


def objective(**changes: Any) -> dict[str, Any]:
    """GRPO's objective, clip 0.2, with changes."""
    plain = {"name": "policy_gradient", "ratio": "token", "surrogate": "clipped-ratio"}
    limits = {"clipLow": 0.2, "clipHigh": 0.2, "dualClip": None, "weightCap": None}
    return {**plain, **limits, "kl": None, "importance": None, **changes}


def update(engine: Engine, rows: Sequence[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """`forward_backward` with GRPO, clip 0.2."""
    request = {
        "rows": list(rows),
        "objective": objective(),
        "temperature": 1.0,
        "pixels": PIXELS,
        "maxTokensPerMicrobatch": 4096,
    }
    return engine.forward_backward({**request, **changes})


def step(engine: Engine, **changes: Any) -> dict[str, Any]:
    """`optim_step`."""
    plain = {"learningRate": 1e-3, "betas": [0.9, 0.95], "eps": 1e-8, "weightDecay": 0.01, "maxGradNorm": 1.0}
    return engine.optim_step({**plain, **changes})


def score(engine: Engine, rows: Sequence[dict[str, Any]], policy: str = "current") -> list[np.ndarray]:
    """`logprobs` of rows, decoded."""
    request = {"rows": list(rows), "temperature": 1.0, "pixels": PIXELS, "policy": policy}
    return [decode_float32(answer["logprobs"], "") for answer in engine.logprobs(request, never)["rows"]]


def ids_of(completion: dict[str, Any]) -> list[int]:
    return decode_int32(completion["tokenIds"], "").tolist()


def logprobs_of(completion: dict[str, Any]) -> np.ndarray:
    return decode_float32(completion["logprobs"], "")


def expanded(record: dict[str, Any], image_token_id: int) -> list[int]:
    """The ids of a prompt record with every image token repeated as its grid says (2x2 patches to a token)."""
    grids = iter([entry["grid"] for entry in record["images"]])
    ids: list[int] = []
    for token in decode_int32(record["ids"], "").tolist():
        ids += [token] * (int(np.prod(next(grids))) // 4 if token == image_token_id else 1)
    return ids


def gradients(engine: Engine) -> dict[str, torch.Tensor]:
    """A copy of every gradient."""
    weights = engine.model.network.named_parameters()
    return {name: weight.grad.clone() for name, weight in weights if weight.grad is not None}


def cosine(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    """Cosine of two gradients over all parameters, in float64."""
    assert first.keys() == second.keys()
    a, b = (torch.cat([side[name].double().flatten() for name in sorted(side)]) for side in (first, second))
    return float(a @ b / (a.norm() * b.norm()))


class ImagesOnlyProcessor(Qwen2_5_VLProcessor):
    """transformers' processor, minus the video part that needs torchvision."""

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        return None if argument is None else super().check_argument_for_proper_class(argument_name, argument)


class Transformers:
    """Plain transformers on the same folder: no code of ours between the processor and the network."""

    def __init__(self, path: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(path)
        image_processor = Qwen2VLImageProcessorPil.from_pretrained(path)
        template = (path / "chat_template.jinja").read_text(encoding="utf-8")
        self.processor = ImagesOnlyProcessor(image_processor, self.tokenizer, None, chat_template=template)
        self.network = Qwen2_5_VLForConditionalGeneration.from_pretrained(path, dtype=torch.float32).eval()

    def inputs(self, conversation: list[dict[str, Any]], images: Sequence[bytes], completion: str = "") -> Any:
        """The processor's outputs for the rendered conversation followed by `completion`."""
        prompt = self.processor.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
        decoded = [Image.open(io.BytesIO(data)).convert("RGB") for data in images]
        return self.processor(text=[prompt + completion], images=decoded or None, return_tensors="pt")

    def logprobs(self, inputs: Any, count: int, banned: Sequence[int], temperature: float = 1.0) -> torch.Tensor:
        """Log-probabilities [count] of the last `count` tokens, banned tokens excluded; differentiable."""
        logits = self.network(**inputs).logits[0, -count - 1 : -1].float()
        logits = logits.index_fill(-1, torch.tensor(banned), float("-inf"))
        ids = inputs["input_ids"][0, -count:]
        return torch.log_softmax(logits / temperature, dim=-1)[torch.arange(count), ids]
