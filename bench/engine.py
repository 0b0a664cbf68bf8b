"""The worker beside what a user would otherwise write on plain transformers, in one process and one run.

    python bench/engine.py [--device cpu|cuda] [--dtype float32|bfloat16] [--threads 1] [--model FOLDER] [--prompt 300]

sample: G completions of each prompt; theirs is `model.generate(num_return_sequences=G)`, which prefills every prompt G
times. update: forward + backward of the same rows; theirs forwards each row with all its logits. Needs the engine's
environment alone, no Node. Without --model it builds the seeded tiny one.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "engine"))

from varft_engine.arrays import decode_int32, encode_float32
from varft_engine.engine import Engine
from varft_engine.tiny import Shape, build_tiny

PROMPTS, GROUP, TOKENS, REPEATS = 4, 8, 40, 5
PIXELS = {"min": None, "max": None}
WORDS = "which number stands in the picture after it is turned upright again "


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or tiny_model(Path(folder))
        engine = Engine(str(model), device=options.device, dtype=options.dtype, threads=options.threads, seed=0)
        sha256 = put_image(engine)
        requests = [messages(sha256, options.prompt, number) for number in range(PROMPTS)]
        print(
            f"{engine.info()['model']['parameters'] / 1e6:.2f} M parameters, {options.device} {options.dtype},", end=" "
        )
        print(f"{options.threads} threads; {PROMPTS} prompts x {GROUP} completions of {TOKENS} tokens")
        response = engine.sample(sample_request(requests), lambda: False)
        length = response["results"][0]["prompt"]["length"]
        print(f"prompts of {length} tokens with one image each")
        report(
            "sample", lambda: engine.sample(sample_request(requests), lambda: False), theirs_sample(engine, requests)
        )
        rows = training_rows(requests, response)
        report("update", lambda: ours_update(engine, rows), theirs_update(engine, requests, response))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--prompt", type=int, default=300, help="words of the prompt")
    return parser.parse_args()


def tiny_model(folder: Path) -> Path:
    """Four layers of 128: enough arithmetic that Python is not all that is timed."""
    shape = Shape(hidden=128, layers=4, heads=8, kv_heads=4, intermediate=384)
    build_tiny(folder / "tiny", 0, [WORDS * 4], shape=shape)
    return folder / "tiny"


def put_image(engine: Engine) -> str:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(stream, "PNG")
    sha256 = hashlib.sha256(stream.getvalue()).hexdigest()
    engine.put_image(sha256, stream.getvalue())
    return sha256


def messages(sha256: str, words: int, number: int) -> list[dict[str, Any]]:
    text = " ".join((WORDS * (words // 12 + 1)).split()[:words])
    content = [{"type": "image", "sha256": sha256}, {"type": "text", "text": f"{number} {text}"}]
    return [{"role": "user", "content": content}]


def sample_request(requests: list[list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "prompts": [
            {"messages": request, "keys": [f"{number * GROUP + k:016x}" for k in range(GROUP)]}
            for number, request in enumerate(requests)
        ],
        "sampling": {
            "temperature": 1.0,
            "topP": 1.0,
            "topK": 0,
            "repetitionPenalty": 1.0,
            "maxTokens": TOKENS,
            "stop": [],
        },
        "pixels": PIXELS,
    }


def training_rows(requests: list[list[dict[str, Any]]], response: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "messages": request,
            "prompt": {name: result["prompt"][name] for name in ("digest", "ids", "images")},
            "tokenIds": completion["tokenIds"],
            "text": None,
            "advantages": encode_float32(
                np.full(len(decode_int32(completion["tokenIds"], "completion")), 0.1 * (k + 1))
            ),
            "oldLogprobs": None,
        }
        for request, result in zip(requests, response["results"], strict=True)
        for k, completion in enumerate(result["completions"])
    ]


def ours_update(engine: Engine, rows: list[dict[str, Any]]) -> None:
    engine.zero_grad()
    engine.forward_backward(
        {
            "rows": rows,
            "objective": {
                "name": "policy_gradient",
                "ratio": "token",
                "surrogate": "clipped-ratio",
                "clipLow": 0.2,
                "clipHigh": 0.2,
                "dualClip": None,
                "weightCap": None,
                "kl": None,
                "importance": None,
            },
            "temperature": 1.0,
            "pixels": PIXELS,
            "maxTokensPerMicrobatch": 16384,
        }
    )


def their_inputs(engine: Engine, request: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """What transformers' own processor makes of the same prompt."""
    processor = engine.model.processor
    content = [{"type": "image"} if part["type"] == "image" else part for part in request[0]["content"]]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    inputs = processor(text=[text], images=[Image.fromarray(pixels)], return_tensors="pt")
    return {name: value.to(engine.model.device) for name, value in inputs.items()}


def theirs_sample(engine: Engine, requests: list[list[dict[str, Any]]]) -> Callable[[], None]:
    network = engine.model.network
    inputs = [their_inputs(engine, request) for request in requests]

    def run() -> None:
        with torch.inference_mode():
            for one in inputs:
                network.generate(
                    **one,
                    do_sample=True,
                    top_k=0,
                    num_return_sequences=GROUP,
                    max_new_tokens=TOKENS,
                    min_new_tokens=TOKENS,
                )

    return run


def theirs_update(engine: Engine, requests: list[list[dict[str, Any]]], response: dict[str, Any]) -> Callable[[], None]:
    network = engine.model.network
    rows = []
    for request, result in zip(requests, response["results"], strict=True):
        inputs = their_inputs(engine, request)
        for k, completion in enumerate(result["completions"]):
            ids = torch.as_tensor(
                np.array(decode_int32(completion["tokenIds"], "completion")), device=engine.model.device
            ).long()[None]
            whole = {**inputs, "input_ids": torch.cat([inputs["input_ids"], ids], 1)}
            whole["attention_mask"] = torch.ones_like(whole["input_ids"])
            if "mm_token_type_ids" in inputs:
                types = inputs["mm_token_type_ids"]
                whole["mm_token_type_ids"] = torch.cat([types, types.new_zeros(1, ids.shape[1])], 1)
            rows.append((whole, ids, 0.1 * (k + 1)))

    def run() -> None:
        network.zero_grad()
        for whole, ids, advantage in rows:
            logits = network(**whole, use_cache=False).logits[:, -ids.shape[1] - 1 : -1]
            logp = torch.log_softmax(logits.float(), -1).gather(-1, ids[..., None])[..., 0]
            (-advantage * logp).sum().backward()
        network.zero_grad()

    return run


def report(name: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """Medians of alternating runs, so that a busy machine slows both."""
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(REPEATS + 1):
        for who, run in (("ours", ours), ("theirs", theirs)):
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            started = time.perf_counter()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            times[who].append(time.perf_counter() - started)
    mine, other = (statistics.median(times[who][1:]) for who in ("ours", "theirs"))
    print(f"{name:7} ours {mine * 1e3:8.0f} ms   plain transformers {other * 1e3:8.0f} ms   ratio {other / mine:.2f}")


if __name__ == "__main__":
    main()
