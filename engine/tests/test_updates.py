"""Objectives with old, reference and sampler log-probabilities on the model: several updates of one batch really clip,
the reference stays the start, and micro-batches change nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from engine_support import (
    cosine,
    gradients,
    ids_of,
    image,
    key,
    logprobs_of,
    message,
    objective,
    png,
    put,
    row,
    sample,
    score,
    step,
    text,
    update,
)
from varft_engine.arrays import decode_float32, encode_float32
from varft_engine.engine import Engine
from varft_engine.errors import VarftError

KL = {"beta": 0.04, "estimator": "k3", "timesRatio": False}


def sampled_rows(engine: Engine) -> list[dict[str, Any]]:
    """Two groups of four sampled completions with alternating advantages, and the sampler's log-probabilities."""
    rows = []
    for number in range(2):
        messages = [message("user", image(put(engine, png(60 + number))), text("What number?"))]
        keys = [key(number, k) for k in range(4)]
        result = sample(engine, [(messages, keys)], maxTokens=10 + 6 * number)["results"][0]
        for k, completion in enumerate(result["completions"]):
            ids = ids_of(completion)
            made = row(messages, result["prompt"], ids, [(-1.0) ** k / 8])
            rows.append({**made, "samplerLogprobs": encode_float32(logprobs_of(completion))})
    return rows


def with_old(rows: list[dict[str, Any]], answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**r, "oldLogprobs": a["logprobs"]} for r, a in zip(rows, answer["rows"], strict=True)]


def with_reference(engine: Engine, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    weights = encode_float32([0.125])
    scored = score(engine, rows, "reference")
    return [
        {**r, "referenceLogprobs": encode_float32(values), "klWeights": weights}
        for r, values in zip(rows, scored, strict=True)
    ]


def norm(gradient: dict[str, torch.Tensor]) -> float:
    return float(torch.cat([value.flatten() for value in gradient.values()]).norm())


CLIPS = {
    "grpo": ({}, {"clipLow": None, "clipHigh": None}),
    "dual clip": ({"dualClip": 1.1}, {}),
    # A step this large: GSPO's published limits, 3e-4 and 4e-4, would clip every completion.
    "gspo": (
        {"ratio": "sequence", "clipLow": 0.85, "clipHigh": 0.5},
        {"ratio": "sequence", "clipLow": None, "clipHigh": None},
    ),
    "cispo": (
        {"surrogate": "weighted-logprob", "weightCap": 1.05},
        {"surrogate": "weighted-logprob", "weightCap": None},
    ),
}


@pytest.mark.parametrize("name", CLIPS)
def test_the_second_update_of_a_batch_clips_and_it_matters(engine: Engine, name: str) -> None:
    """With old log-probabilities kept, the limit acts on part of the tokens and changes the gradient."""
    limited, unlimited = (objective(**changes) for changes in CLIPS[name])
    rows = sampled_rows(engine)
    first = update(engine, rows, objective=limited)
    assert first["clippedTokens"] == 0
    step(engine, learningRate=3e-3)
    kept = with_old(rows, first)

    second = update(engine, kept, objective=limited)
    clipped = gradients(engine)
    engine.zero_grad()
    update(engine, kept, objective=unlimited)
    free = gradients(engine)
    share = second["clippedTokens"] / second["tokens"]
    print(f"{name}: {share:.0%} of {second['tokens']} tokens, gradient cosine {cosine(clipped, free):.4f}")
    assert 0 < share < 1
    assert cosine(clipped, free) < 0.999 or norm(clipped) < 0.9 * norm(free)


def test_without_old_logprobs_no_limit_ever_acts(engine: Engine) -> None:
    rows = sampled_rows(engine)
    first = update(engine, rows)
    free = gradients(engine)
    step(engine, learningRate=3e-3)
    engine.zero_grad()
    assert first["clippedTokens"] == 0 and update(engine, rows)["clippedTokens"] == 0
    assert norm(free) > 0


def test_the_kl_starts_at_zero_and_holds_the_policy_back(engine: Engine) -> None:
    """The reference is the start: KL 0 before the first step, above 0 after it, and a step along it alone lowers it."""
    rows = with_reference(engine, sampled_rows(engine))
    before = update(engine, rows, objective=objective(kl=KL))
    assert before["kl"] == pytest.approx(0, abs=1e-6)
    step(engine, learningRate=3e-3)
    rows = [{**r, "advantages": encode_float32([0.0])} for r in rows]
    moved = update(engine, rows, objective=objective(kl=KL))
    assert moved["kl"] > 1e-3
    assert moved["loss"] == pytest.approx(0.04 * 0.125 * moved["kl"] * moved["tokens"], rel=1e-4)
    step(engine, learningRate=1e-4, weightDecay=0)
    assert update(engine, rows, objective=objective(kl=KL))["kl"] < moved["kl"]


@pytest.mark.parametrize(
    "changes",
    [
        {"kl": KL, "importance": {"mode": "truncate", "limit": 1.05}},
        {"ratio": "sequence", "clipLow": 0.85, "clipHigh": 0.5, "importance": {"mode": "drop", "limit": 3.0}},
        {"surrogate": "weighted-logprob", "weightCap": 1.05, "kl": {**KL, "timesRatio": True}},
    ],
    ids=["token", "sequence", "cispo"],
)
def test_micro_batches_change_nothing(engine: Engine, changes: dict[str, Any]) -> None:
    """Not with any part of an objective: all normalisers are in the rows, and no ratio crosses a completion."""
    rows = with_reference(engine, sampled_rows(engine))
    rows = with_old(rows, update(engine, rows))
    step(engine, learningRate=3e-3)
    noise = np.random.default_rng(3)
    for r in rows:
        # Around the old ones, which is what the correction compares with.
        old = decode_float32(r["oldLogprobs"], "")
        r["samplerLogprobs"] = encode_float32(old + noise.normal(size=len(old)) * 0.2)
    whole = update(engine, rows, objective=objective(**changes), maxTokensPerMicrobatch=100_000)
    reference = gradients(engine)
    assert whole["microbatches"] == 1 and 0 < whole["clippedTokens"] < whole["tokens"]
    if "importance" in changes:
        assert 0 < whole["correctedTokens"] < whole["tokens"]
    for limit in (1, 90):
        engine.zero_grad()
        split = update(engine, rows, objective=objective(**changes), maxTokensPerMicrobatch=limit)
        assert split["microbatches"] > 1
        assert cosine(gradients(engine), reference) > 0.99999
        assert norm(gradients(engine)) == pytest.approx(norm(reference), rel=1e-4)
        assert split["loss"] == pytest.approx(whole["loss"], abs=1e-5)
        assert (split["kl"] or 0) == pytest.approx(whole["kl"] or 0, rel=1e-3)
        for count in ("clippedTokens", "correctedTokens"):
            assert split[count] == whole[count]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kl": KL}, r"rows\[0\]\.referenceLogprobs is absent: objective\.kl reads it"),
        ({"importance": {"mode": "drop", "limit": 2}}, r"rows\[0\]\.samplerLogprobs is absent: objective\.importance"),
    ],
)
def test_an_objective_says_what_a_row_lacks(engine: Engine, changes: dict[str, Any], words: str) -> None:
    rows = [{name: value for name, value in r.items() if name != "samplerLogprobs"} for r in sampled_rows(engine)]
    with pytest.raises(VarftError, match=words) as caught:
        update(engine, rows, objective=objective(**changes))
    assert caught.value.code == "engine.bad_request"
