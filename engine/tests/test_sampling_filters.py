"""Filters against transformers' own processors; the inverse CDF and the noise against exact values."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from transformers.generation.logits_process import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)
from varft_engine.noise import BLOCK, uniforms
from varft_engine.sampling import Sampling, choose, filtered_scores, inverse_cdf


def plain(**changes: object) -> Sampling:
    values = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0, "max_tokens": 1, "stop": ()}
    return Sampling(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def logits() -> torch.Tensor:
    values = torch.randn((16, 200), generator=torch.Generator().manual_seed(0)) * 3
    values[:, 7] = float("-inf")  # as a banned token arrives
    values[0, :50] = values[0, 0]  # ties
    return values


@pytest.fixture(scope="module")
def history() -> torch.Tensor:
    return torch.randint(0, 200, (16, 30), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("penalty", [1.05, 2.0, 0.8])
@pytest.mark.parametrize("temperature", [1.0, 0.6, 1.7])
@pytest.mark.parametrize("top_k", [0, 1, 20, 500])
@pytest.mark.parametrize("top_p", [1.0, 0.95, 0.3, 1e-6])
def test_filters_equal_transformers(
    logits: torch.Tensor, history: torch.Tensor, penalty: float, temperature: float, top_k: int, top_p: float
) -> None:
    seen = torch.zeros_like(logits, dtype=torch.bool).scatter(1, history, True)
    expected = RepetitionPenaltyLogitsProcessor(penalty)(history, logits.clone())
    expected = TemperatureLogitsWarper(temperature)(history, expected)
    if top_k > 0:
        expected = TopKLogitsWarper(top_k)(history, expected)
    if top_p < 1:
        expected = TopPLogitsWarper(top_p)(history, expected)
    chosen = plain(temperature=temperature, top_p=top_p, top_k=top_k, repetition_penalty=penalty)
    torch.testing.assert_close(filtered_scores(logits, chosen, seen), expected, rtol=0, atol=0)


def test_inverse_cdf_of_known_probabilities() -> None:
    scores = torch.log(torch.tensor([[0.0, 0.25, 0.0, 0.5, 0.25, 0.0]])).expand(7, -1)
    uniform = torch.tensor([0.0, 0.2499, 0.2501, 0.7499, 0.7501, 0.9999, 1 - 2.0**-53], dtype=torch.float64)
    assert inverse_cdf(scores, uniform).tolist() == [1, 1, 3, 3, 4, 4, 4]


def test_inverse_cdf_never_takes_a_token_of_probability_zero() -> None:
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn((500, 40), generator=generator) * 20
    scores[torch.rand((500, 40), generator=generator) < 0.7] = float("-inf")
    scores[:, 20] = 0.0
    for uniform in (0.0, 1 - 2.0**-53):
        chosen = inverse_cdf(scores, torch.full((500,), uniform, dtype=torch.float64))
        assert scores.gather(1, chosen[:, None]).isfinite().all()


def test_keyed_noise_follows_the_distribution() -> None:
    """20,000 keyed draws from 12 tokens: chi-square below the 0.999 quantile of 11 degrees of freedom, 31.26."""
    scores = torch.randn((1, 12), generator=torch.Generator().manual_seed(5))
    noise = np.concatenate([uniforms(f"{number:016x}", number % 3) for number in range(2500)])
    drawn = choose(scores.expand(len(noise), -1), plain(), None, torch.from_numpy(noise))
    observed = np.bincount(drawn.numpy(), minlength=12)
    expected = scores.double().softmax(-1)[0].numpy() * len(noise)
    statistic = float(((observed - expected) ** 2 / expected).sum())
    print(f"chi-square {statistic:.2f} (0.999 quantile 31.26)")
    assert statistic < 31.26


def test_greedy_takes_the_most_probable(logits: torch.Tensor) -> None:
    chosen = choose(logits[1:], plain(temperature=0.0), None, torch.zeros(15, dtype=torch.float64))
    assert torch.equal(chosen, logits[1:].argmax(-1))


def test_noise_is_the_documented_hash() -> None:
    """Token 11 of key 00000000000000ff by the formula in the docstring, written out."""
    digest = hashlib.blake2b(
        bytes.fromhex("00000000000000ff") + (11 // 8).to_bytes(8, "big"), digest_size=64, person=b"varft.noise.1"
    ).digest()
    expected = (int.from_bytes(digest[24:32], "big") >> 11) / 2**53
    assert BLOCK == 8 and uniforms("00000000000000ff", 1)[3] == expected
