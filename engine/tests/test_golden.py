"""Golden: our per-token log-probabilities against transformers' own forward on the unpacked sequence, float32, below
1e-4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from engine_support import (
    Message,
    Transformers,
    expanded,
    image,
    message,
    png,
    put,
    record_of,
    row,
    sampled,
    score,
    text,
    update,
)
from varft_engine.arrays import decode_float32, decode_int32
from varft_engine.engine import Engine

THOUGHT = "<think>The image is rotated by 90 degrees.</think><problem>{'rotation90'}</problem>"
CODE = "<think>I turn it back.</think><code>```python\nimage = cv2.rotate(image, 0)\n```</code>"
ANSWER = "<think>Now I can read the number.</think><answer>427</answer>"

Case = tuple[list[bytes], list[dict[str, Any]], list[Message]]


def restated(engine: Engine, plain: Transformers) -> Case:
    """One user turn: image, then instructions and the chain so far."""
    picture = png(1, 80, 48)
    words = f"What number does the image show? <query> Read it. </query>{THOUGHT}"
    theirs = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": words}]}]
    return [picture], theirs, [message("user", image(put(engine, picture)), text(words))]


def restated_several(engine: Engine, plain: Transformers) -> Case:
    """One user turn with three images of different sizes."""
    pictures = [png(2), png(3, 33, 100), png(4, 160, 64)]
    theirs: list[dict[str, Any]] = [{"type": "text", "text": "First: "}]
    ours = [text("First: ")]
    for number, picture in enumerate(pictures):
        theirs += [{"type": "image"}, {"type": "text", "text": f" that was {number}. "}]
        ours += [image(put(engine, picture)), text(f" that was {number}. ")]
    return pictures, [{"role": "user", "content": theirs}], [message("user", *ours)]


def chat(engine: Engine, plain: Transformers) -> Case:
    """User with image, assistant as sampled (end token included), tool with another image, assistant cut off, user."""
    pictures = [png(5), png(6, 48, 96)]
    first = plain.tokenizer(f"{THOUGHT}<|im_end|>")["input_ids"]
    second = plain.tokenizer(CODE)["input_ids"]
    theirs = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What number?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": THOUGHT}]},
        {"role": "tool", "content": [{"type": "text", "text": "here: "}, {"type": "image"}]},
        {"role": "assistant", "content": [{"type": "text", "text": CODE}]},
        {"role": "user", "content": [{"type": "text", "text": "Go on."}]},
    ]
    ours = [
        message("user", image(put(engine, pictures[0])), text("What number?")),
        message("assistant", sampled(first)),
        message("tool", text("here: "), image(put(engine, pictures[1]))),
        message("assistant", sampled(second)),
        message("user", text("Go on.")),
    ]
    return pictures, theirs, ours


def without_image(engine: Engine, plain: Transformers) -> Case:
    """Text only, with a system turn."""
    theirs = [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "text", "text": "How many?"}]},
    ]
    return [], theirs, [message("system", text("Be brief.")), message("user", text("How many?"))]


CASES = [restated, restated_several, chat, without_image]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_prompt_ids_equal_the_processors(shared_engine: Engine, plain: Transformers, case: Any) -> None:
    pictures, theirs, ours = case(shared_engine, plain)
    record = record_of(shared_engine, ours)
    expected = plain.inputs(theirs, pictures)["input_ids"][0].tolist()
    assert expanded(record, plain.processor.image_token_id) == expected
    assert record["length"] == len(expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_logprobs_equal_the_models_own_forward(
    shared_engine: Engine, plain: Transformers, case: Any, temperature: float
) -> None:
    pictures, theirs, ours = case(shared_engine, plain)
    token_ids = plain.tokenizer(f"{ANSWER}<|im_end|>")["input_ids"]
    banned = shared_engine.info()["model"]["bannedTokenIds"]
    with torch.no_grad():
        inputs = plain.inputs(theirs, pictures, f"{ANSWER}<|im_end|>")
        expected = plain.logprobs(inputs, len(token_ids), banned, temperature).numpy()
    rows = [row(ours, record_of(shared_engine, ours), token_ids)]
    result = update(shared_engine, rows, temperature=temperature)
    shared_engine.zero_grad()
    assert decode_int32(result["rows"][0]["tokenIds"], "").tolist() == token_ids
    trained = decode_float32(result["rows"][0]["logprobs"], "")
    difference = np.abs(trained - expected).max()
    print(f"{case.__name__} T={temperature}: max |difference| {difference:.2e} over {len(token_ids)} tokens")
    assert difference < 1e-4
    if temperature == 1.0:
        np.testing.assert_allclose(score(shared_engine, rows)[0], expected, atol=1e-4, rtol=0)


def test_all_cases_in_one_padded_micro_batch(shared_engine: Engine, plain: Transformers) -> None:
    """Rows of different lengths, image counts and image sizes do not disturb one another."""
    rows, expected = [], []
    banned = shared_engine.info()["model"]["bannedTokenIds"]
    for case in CASES:
        pictures, theirs, ours = case(shared_engine, plain)
        for completion in (ANSWER, f"{CODE}<|im_end|>"):
            token_ids = plain.tokenizer(completion)["input_ids"]
            rows.append(row(ours, record_of(shared_engine, ours), token_ids))
            with torch.no_grad():
                inputs = plain.inputs(theirs, pictures, completion)
                expected.append(plain.logprobs(inputs, len(token_ids), banned).numpy())
    result = update(shared_engine, rows, maxTokensPerMicrobatch=100_000)
    shared_engine.zero_grad()
    assert result["microbatches"] == 1
    for answer, values in zip(result["rows"], expected, strict=True):
        np.testing.assert_allclose(decode_float32(answer["logprobs"], ""), values, atol=1e-4, rtol=0)


def test_wrong_positions_would_be_noticed(shared_engine: Engine, plain: Transformers) -> None:
    """The tolerance means something: one-dimensional positions, the silent mistake, miss it by far."""
    pictures, theirs, _ = chat(shared_engine, plain)
    token_ids = plain.tokenizer(ANSWER)["input_ids"]
    banned = shared_engine.info()["model"]["bannedTokenIds"]
    inputs = plain.inputs(theirs, pictures, ANSWER)
    with torch.no_grad():
        right = plain.logprobs(inputs, len(token_ids), banned)
        length = inputs["input_ids"].shape[1]
        inputs["position_ids"] = torch.arange(length).expand(3, 1, length)
        wrong = plain.logprobs(inputs, len(token_ids), banned)
    assert (right - wrong).abs().max() > 0.05
