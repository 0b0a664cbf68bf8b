"""The sampler: agreement with the trainer, independence of batch neighbours, stop rules, cancellation."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from engine_support import (
    Message,
    Transformers,
    ids_of,
    image,
    key,
    logprobs_of,
    message,
    png,
    put,
    row,
    sample,
    sampled,
    sampling,
    score,
    text,
)
from varft_engine.arrays import decode_int32
from varft_engine.decode import Completion, DecodeBatch
from varft_engine.engine import Engine
from varft_engine.errors import Cancelled, VarftError
from varft_engine.images import PixelLimits
from varft_engine.sampling import Sampling
from varft_engine.stops import Stops


def prompts(engine: Engine, count: int = 6) -> list[list[Message]]:
    """Prompts of many lengths, with no, one and two images."""
    made = []
    for number in range(count):
        pictures = [image(put(engine, png(30 + number + k, 64 + 16 * k, 48))) for k in range(number % 3)]
        made.append([message("user", *pictures, text("What number? " * (1 + 3 * number)))])
    return made


def strip(response: dict[str, Any]) -> dict[str, Any]:
    """Without the timings."""
    return {name: value for name, value in response.items() if name != "seconds"}


@pytest.mark.parametrize(
    "changes",
    [{}, {"temperature": 0.7}, {"temperature": 0.0}, {"topK": 20, "topP": 0.9, "repetitionPenalty": 1.1}],
    ids=["plain", "cooler", "greedy", "filtered"],
)
def test_sampler_and_trainer_agree(shared_engine: Engine, changes: dict[str, Any]) -> None:
    asked = [(messages, [key(n, k) for k in range(4)]) for n, messages in enumerate(prompts(shared_engine))]
    response = sample(shared_engine, asked, maxTokens=20, **changes)
    temperature = changes.get("temperature", 1.0) or 1.0
    rows, reported = [], []
    for (messages, _), result in zip(asked, response["results"], strict=True):
        for completion in result["completions"]:
            rows.append(row(messages, result["prompt"], ids_of(completion)))
            reported.append(logprobs_of(completion))
    request = {"rows": rows, "temperature": temperature, "pixels": {"min": None, "max": None}, "policy": "current"}
    answers = shared_engine.logprobs(request, lambda: False)["rows"]
    difference = max(np.abs(logprobs_of(a) - b).max() for a, b in zip(answers, reported, strict=True))
    print(f"sampler against trainer, {changes or 'plain'}: max |difference| {difference:.2e}")
    assert difference < 1e-4


def test_the_same_request_gives_the_same_bits(shared_engine: Engine, tiny: Any) -> None:
    asked = [(messages, [key(n, k) for k in range(3)]) for n, messages in enumerate(prompts(shared_engine))]
    first = sample(shared_engine, asked, maxTokens=30)
    sample(shared_engine, asked[3:4], maxTokens=5)  # Warms caches in another composition.
    assert strip(sample(shared_engine, asked, maxTokens=30)) == strip(first)
    fresh = Engine(tiny)
    prompts(fresh)
    assert strip(sample(fresh, asked, maxTokens=30)) == strip(first)


def test_a_completion_does_not_depend_on_its_neighbours(shared_engine: Engine) -> None:
    """Alone, among others, in another order: the same tokens, log-probabilities up to rounding."""
    asked = [(messages, [key(n, k) for k in range(3)]) for n, messages in enumerate(prompts(shared_engine))]
    together = sample(shared_engine, asked, maxTokens=24)["results"]
    backwards = sample(shared_engine, [(m, keys[::-1]) for m, keys in asked[::-1]], maxTokens=24)["results"]
    for n, (messages, keys) in enumerate(asked):
        for k, noise_key in enumerate(keys):
            alone = sample(shared_engine, [(messages, [noise_key])], maxTokens=24)["results"][0]["completions"][0]
            for other in (together[n]["completions"][k], backwards[-1 - n]["completions"][-1 - k]):
                assert ids_of(other) == ids_of(alone)
                np.testing.assert_allclose(logprobs_of(other), logprobs_of(alone), atol=1e-4, rtol=0)


def test_different_keys_give_different_completions(shared_engine: Engine) -> None:
    asked = [(prompts(shared_engine, 2)[1], [key(k) for k in range(16)])]
    completions = sample(shared_engine, asked, maxTokens=10)["results"][0]["completions"]
    assert len({tuple(ids_of(completion)) for completion in completions}) == 16


def test_first_tokens_follow_the_networks_distribution(shared_engine: Engine, plain: Transformers) -> None:
    """8,000 first tokens against transformers' own probabilities, the rare ones pooled: chi-square, 0.999 quantile."""
    messages = [message("user", text("?"))]
    keys = [key("first", k) for k in range(8000)]
    drawn = [ids_of(c)[0] for c in sample(shared_engine, [(messages, keys)], maxTokens=1)["results"][0]["completions"]]
    with torch.no_grad():
        inputs = plain.inputs([{"role": "user", "content": [{"type": "text", "text": "?"}]}], [])
        logits = plain.network(**inputs).logits[0, -1]
    logits[shared_engine.info()["model"]["bannedTokenIds"]] = float("-inf")
    expected = logits.double().softmax(-1).numpy() * len(drawn)
    observed = np.bincount(drawn, minlength=len(expected))
    common = expected >= 20
    expected = np.append(expected[common], expected[~common].sum())
    observed = np.append(observed[common], observed[~common].sum())
    statistic, freedom = float(((observed - expected) ** 2 / expected).sum()), len(expected) - 1
    # Wilson and Hilferty's approximation of the quantile; 3.09 is the normal one.
    quantile = freedom * (1 - 2 / (9 * freedom) + 3.09 * (2 / (9 * freedom)) ** 0.5) ** 3
    print(f"chi-square {statistic:.1f} with {freedom} degrees of freedom, 0.999 quantile {quantile:.1f}")
    assert freedom > 20 and statistic < quantile


@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_greedy_equals_transformers_generate(shared_engine: Engine, plain: Transformers, penalty: float) -> None:
    picture = png(41)
    ours = [message("user", image(put(shared_engine, picture)), text("What number?"))]
    theirs = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What number?"}]}]
    inputs = plain.inputs(theirs, [picture])
    banned = [[token] for token in shared_engine.info()["model"]["bannedTokenIds"]]
    output = plain.network.generate(
        **inputs, max_new_tokens=25, do_sample=False, repetition_penalty=penalty, bad_words_ids=banned
    )
    expected = output[0, inputs["input_ids"].shape[1] :].tolist()
    asked = [(ours, [key(0)])]
    response = sample(shared_engine, asked, maxTokens=25, temperature=0.0, repetitionPenalty=penalty)
    assert ids_of(response["results"][0]["completions"][0]) == expected


def test_equal_prompts_share_a_prefill_and_keep_their_keys(shared_engine: Engine) -> None:
    messages = prompts(shared_engine, 2)[1]
    apart = sample(shared_engine, [(messages, [key(0)]), (messages, [key(1)])], maxTokens=15)["results"]
    together = sample(shared_engine, [(messages, [key(0), key(1)])], maxTokens=15)["results"][0]
    assert [result["completions"][0] for result in apart] == together["completions"]


def test_vision_tokens_are_never_sampled(engine: Engine) -> None:
    """Even when the network wants nothing else."""
    banned = engine.info()["model"]["bannedTokenIds"]
    head = engine.model.network.get_output_embeddings()
    lift = torch.zeros(head.weight.shape[0])
    lift[banned] = 1000.0
    head.register_forward_hook(lambda module, inputs, output: output + lift)
    response = sample(engine, [([message("user", text("?"))], [key(k) for k in range(20)])], maxTokens=20)
    for completion in response["results"][0]["completions"]:
        assert not set(ids_of(completion)) & set(banned)
        assert logprobs_of(completion).max() <= 0 and logprobs_of(completion).min() > -50


def test_end_and_length(shared_engine: Engine) -> None:
    ends = shared_engine.info()["model"]["endTokenIds"]
    messages = [message("user", text("?"))]
    response = sample(shared_engine, [(messages, [key("end", k) for k in range(300)])], maxTokens=40)
    completions = response["results"][0]["completions"]
    assert {completion["stopReason"] for completion in completions} == {"end", "length"}
    for completion in completions:
        ids = ids_of(completion)
        if completion["stopReason"] == "end":
            assert ids[-1] in ends and not set(ids[:-1]) & set(ends)
            assert not completion["text"].endswith(("<|im_end|>", "<|endoftext|>"))
        else:
            assert len(ids) == 40 and not set(ids) & set(ends)
        assert len(logprobs_of(completion)) == len(ids)


def test_stop_strings(shared_engine: Engine) -> None:
    """The shortest prefix whose text holds a stop string, and nothing after it; text and ids agree."""
    tokenizer = shared_engine.model.tokenizer
    asked = [([message("user", text("?"))], [key("stop", k) for k in range(60)])]
    free = sample(shared_engine, asked, maxTokens=40)["results"][0]["completions"]
    stop = ["e>", "re", "'", "1"]
    stopped = sample(shared_engine, asked, maxTokens=40, stop=stop)["results"][0]["completions"]
    assert sum(completion["stopReason"] == "stop" for completion in stopped) > 10
    for whole, cut in zip(free, stopped, strict=True):
        ids = ids_of(cut)
        assert ids == ids_of(whole)[: len(ids)]
        if cut["stopReason"] == "stop":
            assert any(word in cut["text"] for word in stop)
            assert not any(word in tokenizer.decode(ids[:-1]) for word in stop)
            assert cut["text"] == tokenizer.decode(ids)
        else:
            assert not any(word in cut["text"] for word in stop)


def forced(engine: Engine, ids: list[int]) -> None:
    """Makes the network say `ids`, one after the other."""
    said = iter(ids)

    def say(module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        wanted = torch.full_like(output, -1000.0)
        wanted[..., next(said)] = 0.0
        return wanted

    engine.model.network.get_output_embeddings().register_forward_hook(say)


def test_a_stop_string_of_several_bytes_completed_by_a_partial_token(engine: Engine) -> None:
    """The tokenizer spells these characters byte by byte; the stop string is complete only with the last byte."""
    ids = engine.model.tokenizer("né 中文 x")["input_ids"]
    assert len(ids) > 9
    forced(engine, [*ids, *ids])
    completion = sample(engine, [([message("user", text("?"))], [key(0)])], maxTokens=40, stop=["文"])
    completion = completion["results"][0]["completions"][0]
    assert completion["stopReason"] == "stop" and completion["text"] == "né 中文"


def test_incomplete_bytes_become_replacement_characters(engine: Engine) -> None:
    ids = engine.model.tokenizer("é中")["input_ids"]
    forced(engine, ids)
    completion = sample(engine, [([message("user", text("?"))], [key(0)])], maxTokens=len(ids) - 1)
    completion = completion["results"][0]["completions"][0]
    assert completion["text"].startswith("é") and "\ufffd" in completion["text"]
    assert ids_of(completion) == ids[:-1]


def test_a_sampled_turn_goes_back_verbatim(shared_engine: Engine) -> None:
    """What was sampled is spliced into the next prompt token by token, whatever its text would tokenise to."""
    first = [message("user", text("?"))]
    completions = sample(shared_engine, [(first, [key(k) for k in range(10)])])["results"][0]["completions"]
    for completion in completions:
        ids = ids_of(completion)
        second = [*first, message("assistant", sampled(ids)), message("user", text("Go on."))]
        result = sample(shared_engine, [(second, [key(99)])], maxTokens=3)["results"][0]
        prompt = decode_int32(result["prompt"]["ids"], "").tolist()
        assert any(prompt[i : i + len(ids)] == ids for i in range(len(prompt)))
        again = row(second, result["prompt"], ids_of(result["completions"][0]))
        np.testing.assert_allclose(score(shared_engine, [again])[0], logprobs_of(result["completions"][0]), atol=1e-4)


def test_a_broken_network_is_told(engine: Engine) -> None:
    with torch.no_grad():
        engine.model.network.get_output_embeddings().weight.fill_(float("nan"))
    with pytest.raises(VarftError) as caught:
        sample(engine, [([message("user", text("?"))], [key(0)])])
    assert caught.value.code == "engine.nonfinite_logits"


def test_cancellation_between_tokens(shared_engine: Engine) -> None:
    asked = iter([False] * 5)
    request = {
        "prompts": [{"messages": [message("user", text("?"))], "keys": [key(0)]}],
        "sampling": sampling(maxTokens=4000),
        "pixels": {"min": None, "max": None},
    }
    with pytest.raises(Cancelled):
        shared_engine.sample(copy.deepcopy(request), lambda: next(asked, True))


def test_rows_may_join_a_running_batch(shared_engine: Engine) -> None:
    """The decoding batch is a place that rows enter and leave: one that joins late samples what it samples alone."""
    sampler, renderer = shared_engine._sampler, shared_engine._sampler._renderer
    wanted = Sampling.of(sampling(maxTokens=20))
    rendered = [renderer.prompt(messages, PixelLimits(None, None), "") for messages in prompts(shared_engine, 3)]
    rows = [Completion(key("join", number)) for number in range(3)]
    with torch.inference_mode():
        batch = DecodeBatch(shared_engine.model, Stops(shared_engine.model), wanted)
        for prompt, entering in zip(rendered, rows, strict=True):
            batch.enter([entering], sampler._prefill([prompt], torch.tensor([0]), wanted))
            for _ in range(4):
                batch.step()
        while len(batch) > 0:
            batch.step()
    for messages, number in zip(prompts(shared_engine, 3), range(3), strict=True):
        alone = sample(shared_engine, [(messages, [key("join", number)])], maxTokens=20)["results"][0]["completions"][0]
        assert rows[number].token_ids == ids_of(alone)
        np.testing.assert_allclose(rows[number].logprobs, logprobs_of(alone), atol=1e-4)
