"""Every request shape: a good one passes unchanged, each kind of mistake names its field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from varft_engine.errors import VarftError
from varft_engine.requests import SHAPES, images_of, parse

SHA = "ab" * 32
PIXELS = {"min": None, "max": 65536}
MESSAGES = [
    {"role": "system", "content": [{"type": "text", "text": "s"}]},
    {"role": "user", "content": [{"type": "image", "sha256": SHA}, {"type": "text", "text": "q"}]},
    {"role": "assistant", "content": [{"type": "sampled", "text": "a", "tokenIds": "AQAAAA=="}]},
]
ROW = {
    "messages": MESSAGES,
    "prompt": {"digest": SHA, "ids": "AQAAAA==", "images": [{"sha256": SHA, "grid": [1, 2, 2]}]},
    "tokenIds": "AQAAAA==",
    "text": None,
}
IDS = {"operationId": "o", "instanceId": "i"}
PATH = {**IDS, "path": "/checkpoints/1", "pins": {"protocol": "1"}}
GOOD: dict[str, dict[str, Any]] = {
    "sample": {
        "prompts": [{"messages": MESSAGES, "keys": ["0123456789abcdef"]}],
        "sampling": {
            "temperature": 0,
            "topP": 1,
            "topK": 0,
            "repetitionPenalty": 1.05,
            "maxTokens": 8,
            "stop": ["</answer>"],
        },
        "pixels": PIXELS,
    },
    "logprobs": {"rows": [ROW], "temperature": 1, "pixels": PIXELS, "policy": "current"},
    "forward_backward": {
        **IDS,
        "rows": [
            {
                **ROW,
                "advantages": "AACAPw==",
                "oldLogprobs": None,
                "referenceLogprobs": "AACAPw==",
                "klWeights": "AACAPw==",
                "samplerLogprobs": "AACAPw==",
            }
        ],
        "objective": {
            "name": "policy_gradient",
            "ratio": "token",
            "surrogate": "clipped-ratio",
            "clipLow": 0.2,
            "clipHigh": 0.28,
            "dualClip": None,
            "weightCap": None,
            "kl": {"beta": 0.04, "estimator": "k3", "timesRatio": False},
            "importance": {"mode": "truncate", "limit": 2},
        },
        "temperature": 1.0,
        "pixels": PIXELS,
        "maxTokensPerMicrobatch": 4096,
    },
    "optim_step": {
        **IDS,
        "learningRate": 1e-6,
        "betas": [0.9, 0.999],
        "eps": 1e-8,
        "weightDecay": 0,
        "maxGradNorm": 1,
    },
    "zero_grad": IDS,
    "save": PATH,
    "load": PATH,
    "export": PATH,
}


def changed(name: str, path: list[Any], value: Any) -> bytes:
    """The good request with one field set; `...` removes it."""
    request = json.loads(json.dumps(GOOD[name]))
    at = request
    for key in path[:-1]:
        at = at[key]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return json.dumps(request).encode()


def test_every_shape_has_a_good_example() -> None:
    assert set(GOOD) == set(SHAPES)


@pytest.mark.parametrize("name", list(GOOD))
def test_a_good_request_passes_unchanged(name: str) -> None:
    assert json.loads(json.dumps(parse(name, json.dumps(GOOD[name]).encode()))) == GOOD[name]


BAD: list[tuple[str, list[Any], Any, str]] = [
    ("sample", ["prompts", 0, "keys", 0], "xyz", "prompts[0].keys[0]"),
    ("sample", ["prompts", 0, "keys"], [], "prompts[0].keys"),
    ("sample", ["prompts", 0, "messages", 0, "role"], "robot", "prompts[0].messages[0].role"),
    ("sample", ["prompts", 0, "messages", 1, "content", 0, "sha256"], "AB" * 32, "prompts[0].messages[1].content[0]"),
    ("sample", ["prompts", 0, "messages", 1, "content", 0, "type"], "video", "prompts[0].messages[1].content[0]"),
    ("sample", ["prompts", 0, "messages", 2, "content", 0, "tokenIds"], "AQ==", "prompts[0].messages[2].content[0]"),
    ("sample", ["sampling", "maxTokens"], "8", "sampling.maxTokens"),
    ("sample", ["sampling", "maxTokens"], True, "sampling.maxTokens"),
    ("sample", ["sampling", "topP"], 0, "sampling.topP"),
    ("sample", ["sampling", "temperature"], -1, "sampling.temperature"),
    ("sample", ["sampling", "temperature"], float("nan"), "sampling.temperature"),
    ("sample", ["sampling", "seed"], 1, "sampling.seed"),
    ("sample", ["pixels"], ..., "pixels"),
    ("logprobs", ["policy"], "old", "policy"),
    ("logprobs", ["rows", 0, "text"], "both", "rows[0]"),
    ("logprobs", ["rows", 0, "tokenIds"], None, "rows[0]"),
    ("logprobs", ["rows", 0, "prompt"], None, "rows[0]"),
    ("forward_backward", ["rows", 0, "advantages"], "not base64", "rows[0].advantages"),
    ("forward_backward", ["rows", 0, "oldLogprobs"], ..., "rows[0].oldLogprobs"),
    ("forward_backward", ["objective", "name"], "ppo", "objective"),
    ("forward_backward", ["objective", "clipLow"], 0, "objective"),
    ("forward_backward", ["objective", "dualClip"], 1, "objective"),
    ("forward_backward", ["objective", "kl", "estimator"], "k4", "objective"),
    ("forward_backward", ["objective", "importance", "limit"], 1, "objective"),
    ("forward_backward", ["rows", 0, "klWeights"], None, "rows[0].klWeights"),
    ("forward_backward", ["maxTokensPerMicrobatch"], 0.5, "maxTokensPerMicrobatch"),
    ("optim_step", ["betas"], [0.9], "betas"),
    ("optim_step", ["betas", 1], 1, "betas[1]"),
    ("optim_step", ["learningRate"], None, "learningRate"),
    ("zero_grad", ["operationId"], "", "operationId"),
    ("save", ["path"], "relative/folder", "path"),
    ("load", ["pins", "protocol"], 1, "pins.protocol"),
]


@pytest.mark.parametrize(("name", "path", "value", "field"), BAD)
def test_a_mistake_names_its_field(name: str, path: list[Any], value: Any, field: str) -> None:
    with pytest.raises(VarftError) as refusal:
        parse(name, changed(name, path, value))
    assert refusal.value.code == "engine.bad_request"
    assert refusal.value.details["field"].startswith(field)
    assert refusal.value.message.startswith(field)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(VarftError) as refusal:
        parse("sample", body)
    assert refusal.value.code == "engine.bad_request"


def test_images_of_lists_each_image_once() -> None:
    assert images_of(GOOD["sample"]) == [SHA]
    assert images_of({"rows": [ROW, ROW]}) == [SHA]
    assert images_of(GOOD["optim_step"]) == []
