"""`forward_backward` against autograd written by hand: one raw forward per row, the formula spelled out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from engine_support import (
    TEXTS,
    Message,
    Transformers,
    cosine,
    gradients,
    ids_of,
    image,
    key,
    logprobs_of,
    message,
    png,
    put,
    record_of,
    row,
    sample,
    text,
    update,
)
from varft_engine.arrays import decode_float32, decode_int32, encode_float32
from varft_engine.engine import Engine
from varft_engine.errors import VarftError

COMPLETIONS = [
    "<think>The image is rotated.</think><problem>{'rotation90'}</problem><|im_end|>",
    "<think>No</think><answer>427</answer><|im_end|>",
    "<answer>7",
    "<code>image = cv2.rotate(image, 0)</code><|im_end|>",
]

Case = tuple[list[bytes], list[dict[str, Any]], list[Message], str]


def cases(engine: Engine) -> list[Case]:
    """Rows over three prompts: two images, one image, none."""
    pictures = [png(51), png(52, 96, 48)]
    several = (
        pictures,
        [{"role": "user", "content": [{"type": "image"}, {"type": "image"}, {"type": "text", "text": "Compare."}]}],
        [message("user", *(image(put(engine, picture)) for picture in pictures), text("Compare."))],
    )
    one = (
        pictures[:1],
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What number? Read it."}]}],
        [message("user", image(put(engine, pictures[0])), text("What number? Read it."))],
    )
    none = ([], [{"role": "user", "content": [{"type": "text", "text": "?"}]}], [message("user", text("?"))])
    return [(*prompt, completion) for prompt in (several, one, none) for completion in COMPLETIONS]


class Batch:
    """Rows with seeded advantages and old log-probabilities around the current ones, and the expected result."""

    def __init__(self, engine: Engine, plain: Transformers, spread: float, temperature: float = 1.0) -> None:
        generator = np.random.default_rng(9)
        banned = engine.info()["model"]["bannedTokenIds"]
        self.rows: list[dict[str, Any]] = []
        self.loss, self.clipped = 0.0, 0
        plain.network.zero_grad()
        for pictures, theirs, ours, completion in cases(engine):
            ids = plain.tokenizer(completion)["input_ids"]
            logp = plain.logprobs(plain.inputs(theirs, pictures, completion), len(ids), banned, temperature)
            advantages = generator.normal(size=len(ids)).astype(np.float32)
            old = (logp.detach().numpy() + generator.normal(size=len(ids)) * spread).astype(np.float32)
            self.rows.append(row(ours, record_of(engine, ours), ids, advantages, old))
            # PPO's clipped surrogate, token by token, as it is printed in the paper.
            total = torch.zeros(())
            for t in range(len(ids)):
                ratio = torch.exp(logp[t] - torch.tensor(old[t]))
                a = float(advantages[t])
                unclipped, clipped = ratio * a, torch.clip(ratio, 0.8, 1.2) * a
                total = total - (unclipped if unclipped.item() <= clipped.item() else clipped)
                self.clipped += int(clipped.item() < unclipped.item())
            total.backward()
            self.loss += total.item()
        self.gradients = {n: w.grad.clone() for n, w in plain.network.named_parameters() if w.grad is not None}


@pytest.mark.parametrize("temperature", [1.0, 0.8])
def test_grpo_equals_autograd_by_hand(engine: Engine, plain: Transformers, temperature: float) -> None:
    """Loss, clipped tokens and every gradient, vision tower included, with the clip active in many tokens."""
    expected = Batch(engine, plain, spread=0.3, temperature=temperature)
    tokens = sum(len(decode_int32(r["tokenIds"], "")) for r in expected.rows)
    assert 0.1 * tokens < expected.clipped < 0.9 * tokens
    result = update(engine, expected.rows, temperature=temperature)
    found = gradients(engine)
    assert result["loss"] == pytest.approx(expected.loss, abs=1e-3, rel=1e-5)
    assert result["clippedTokens"] == expected.clipped and result["tokens"] == tokens
    assert any(name.startswith("model.visual") for name in found)
    similarity = cosine(found, expected.gradients)
    print(
        f"gradient cosine to the hand-written one: 1 - {1 - similarity:.1e}; {expected.clipped}/{tokens} tokens clipped"
    )
    assert similarity > 0.99999
    for name, gradient in expected.gradients.items():
        scale = gradient.abs().max().item()
        assert (found[name] - gradient).abs().max().item() <= 1e-3 * scale + 1e-6, name


def test_without_old_logprobs_the_gradient_is_advantage_times_score(engine: Engine, plain: Transformers) -> None:
    """r = 1 in value: loss = -sum A, gradient = -sum A grad logp."""
    batch = Batch(engine, plain, spread=0.0)
    rows = [{**r, "oldLogprobs": None} for r in batch.rows]
    result = update(engine, rows)
    advantages = np.concatenate([decode_float32(r["advantages"], "") for r in rows])
    assert result["loss"] == pytest.approx(-float(advantages.astype(np.float64).sum()), rel=1e-5)
    assert result["clippedTokens"] == 0
    assert cosine(gradients(engine), batch.gradients) > 0.99999


def test_cross_entropy_on_demonstrations(engine: Engine, plain: Transformers) -> None:
    """Text rows: tokenised and closed by the worker, loss = sum of weight x -logp."""
    picture = png(53)
    ours = [message("user", image(put(engine, picture)), text("What number?"))]
    theirs = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What number?"}]}]
    ids = plain.tokenizer(f"{TEXTS[2]}<|im_end|>")["input_ids"]
    inputs = plain.inputs(theirs, [picture], f"{TEXTS[2]}<|im_end|>")
    plain.network.zero_grad()
    loss = -0.25 * plain.logprobs(inputs, len(ids), engine.info()["model"]["bannedTokenIds"]).sum()
    loss.backward()
    expected = {n: w.grad.clone() for n, w in plain.network.named_parameters() if w.grad is not None}
    demonstration = {
        "messages": ours,
        "prompt": None,
        "tokenIds": None,
        "text": TEXTS[2],
        "advantages": encode_float32([0.25]),
        "oldLogprobs": None,
    }
    result = update(engine, [demonstration], objective={"name": "cross_entropy"})
    assert decode_int32(result["rows"][0]["tokenIds"], "").tolist() == ids
    assert result["loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert cosine(gradients(engine), expected) > 0.99999


def test_micro_batching_changes_nothing(engine: Engine, plain: Transformers) -> None:
    rows = Batch(engine, plain, spread=0.3).rows
    whole = update(engine, rows, maxTokensPerMicrobatch=100_000)
    reference = gradients(engine)
    assert whole["microbatches"] == 1
    for limit in (1, 150, 400):
        engine.zero_grad()
        split = update(engine, rows, maxTokensPerMicrobatch=limit)
        similarity = cosine(gradients(engine), reference)
        print(f"{split['microbatches']} micro-batches: gradient cosine 1 - {1 - similarity:.1e}")
        assert similarity > 0.99999
        assert split["loss"] == pytest.approx(whole["loss"], abs=1e-4)
        assert split["clippedTokens"] == whole["clippedTokens"]
        for a, b in zip(split["rows"], whole["rows"], strict=True):
            assert a["tokenIds"] == b["tokenIds"]
            np.testing.assert_allclose(logprobs_of(a), logprobs_of(b), atol=1e-5)
        if limit == 1:
            assert split["microbatches"] == len(rows)


def test_calls_add_up(engine: Engine, plain: Transformers) -> None:
    rows = Batch(engine, plain, spread=0.3).rows
    update(engine, rows)
    whole = gradients(engine)
    engine.zero_grad()
    update(engine, rows[:5])
    update(engine, rows[5:])
    assert cosine(gradients(engine), whole) > 0.99999


def test_equal_rows_are_forwarded_once_and_count_each(engine: Engine, plain: Transformers) -> None:
    """Same prompt and completion, other advantages and other old log-probabilities."""
    rows = Batch(engine, plain, spread=0.3).rows
    first, second = rows[0], {**rows[0], "advantages": encode_float32([-1.5]), "oldLogprobs": None}
    update(engine, [first])
    update(engine, [second])
    apart = gradients(engine)
    engine.zero_grad()
    together = update(engine, [first, second], maxTokensPerMicrobatch=1)
    assert together["microbatches"] == 1
    assert together["rows"][0] == together["rows"][1]
    assert cosine(gradients(engine), apart) > 0.99999


def test_the_same_update_gives_the_same_bits(engine: Engine, plain: Transformers) -> None:
    rows = Batch(engine, plain, spread=0.3).rows
    first = update(engine, rows, maxTokensPerMicrobatch=300)
    kept = gradients(engine)
    engine.zero_grad()
    second = update(engine, rows, maxTokensPerMicrobatch=300)
    assert all(torch.equal(gradient, kept[name]) for name, gradient in gradients(engine).items())
    assert first["rows"] == second["rows"] and first["loss"] == second["loss"]


def test_a_sampled_group_round_trips(engine: Engine) -> None:
    """What `sample` returns is accepted as it is, and its log-probabilities are those of the update."""
    messages = [message("user", image(put(engine, png(54))), text("What number?"))]
    result = sample(engine, [(messages, [key(k) for k in range(8)])], maxTokens=30)["results"][0]
    rows = [row(messages, result["prompt"], ids_of(c), [1.0]) for c in result["completions"]]
    answer = update(engine, rows)
    difference = max(
        np.abs(logprobs_of(a) - logprobs_of(b)).max()
        for a, b in zip(answer["rows"], result["completions"], strict=True)
    )
    print(f"sampler against trainer: max |difference| {difference:.2e}")
    assert difference < 1e-4


BAD = [
    ({"advantages": encode_float32([1.0, 2.0])}, "rows[0].advantages: 2 values for 3 tokens"),
    ({"advantages": encode_float32([float("nan")])}, "rows[0].advantages[0] is nan"),
    ({"oldLogprobs": encode_float32([0.0])}, "rows[0].oldLogprobs: 1 values for 3 tokens"),
    ({"tokenIds": ""}, "rows[0].tokenIds is empty"),
    ({"tokenIds": "!"}, "rows[0].tokenIds: not base64"),
    ({"tokenIds": "AAA="}, "rows[0].tokenIds: expected a multiple of 4 bytes, got 2"),
    ({"text": "both"}, "rows[0]: exactly one of tokenIds and text"),
    ({"prompt": None}, "rows[0]: tokenIds without prompt"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=[words for _, words in BAD])
def test_malformed_rows_say_where(engine: Engine, change: dict[str, Any], words: str) -> None:
    messages = [message("user", text("?"))]
    good = row(messages, record_of(engine, messages), [30, 31, 32])
    with pytest.raises(VarftError) as caught:
        update(engine, [{**good, **change}])
    assert caught.value.code == "engine.bad_request" and caught.value.message.startswith(words)


def test_unknown_objective(engine: Engine) -> None:
    with pytest.raises(VarftError, match=r"'ppo' is not one of \['cross_entropy', 'policy_gradient'\]"):
        update(engine, [], objective={"name": "ppo"})
