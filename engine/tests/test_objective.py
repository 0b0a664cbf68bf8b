"""Every objective's value and gradient against the papers' formulas of `objective_formulas.py`, and what holds for any
of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from engine_support import objective
from objective_formulas import CASES, WEIGHT, Formula, kl
from varft_engine.objective import TokenLosses, Tokens, policy_gradient

LENGTHS = (4, 1, 7, 5)


class Case:
    """Tokens of four completions: log-probabilities in float64 for the formulas, float32 for the worker."""

    def __init__(self, seed: int, spread: float = 0.6) -> None:
        generator = np.random.default_rng(seed)
        count = sum(LENGTHS)
        logp = -generator.exponential(1.5, count)
        self.logp = np.float32(logp)
        self.old = np.float32(logp + generator.normal(size=count) * spread)
        self.reference = np.float32(logp + generator.normal(size=count) * spread)
        self.sampler = np.float32(self.old + generator.normal(size=count) * spread)
        # One advantage by completion, as GRPO has it, and masked (zero) in the last two tokens of the third.
        self.advantages = np.float32(np.repeat([1.5, -2.0, -0.7, 0.9], LENGTHS) * WEIGHT)
        self.advantages[10:12] = 0
        self.kl_weight = WEIGHT

    def tokens(self, logp: torch.Tensor) -> Tokens:
        advantages, old, reference, sampler = map(
            torch.from_numpy, (self.advantages, self.old, self.reference, self.sampler)
        )
        return Tokens(logp, advantages, old, reference, torch.full_like(logp, self.kl_weight), sampler, LENGTHS)

    def found(self, parameters: dict[str, Any]) -> tuple[TokenLosses, np.ndarray]:
        logp = torch.from_numpy(self.logp).requires_grad_()
        losses = policy_gradient(self.tokens(logp), parameters)
        losses.loss.sum().backward()
        assert logp.grad is not None
        return losses, logp.grad.numpy()

    def expected(self, formula: Formula) -> tuple[np.ndarray, np.ndarray]:
        """Losses and gradient of sum over completions i and tokens t of formula(i's tokens, t)."""
        logp = torch.tensor(self.logp, dtype=torch.float64, requires_grad=True)
        losses, start = [], 0
        for length in LENGTHS:
            chosen = range(start, start + length)
            arrays = {"old": self.old, "ref": self.reference, "sampler": self.sampler, "A": self.advantages}
            completion = [
                {"logp": logp[t], **{name: float(array[t]) for name, array in arrays.items()}} for t in chosen
            ]
            losses += [formula(completion, t) for t in range(length)]
            start += length
        total = torch.stack(losses)
        total.sum().backward()
        assert logp.grad is not None
        return total.detach().numpy(), logp.grad.numpy()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_value_and_gradient_equal_the_papers_formula(name: str, seed: int) -> None:
    changes, formula = CASES[name]
    case = Case(seed)
    losses, gradient = case.found(objective(**changes))
    value, slope = case.expected(formula)
    np.testing.assert_allclose(losses.loss.detach().numpy(), value, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradient, slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["grpo", "dapo", "dual clip", "gspo"])
def test_clipped_is_where_the_advantage_gives_no_gradient(name: str) -> None:
    """And the seeds do clip some tokens and leave others."""
    counts = []
    for seed in range(1, 4):
        case = Case(seed)
        # One token's own gradient; a sequence's ratio spreads it, so whole completions are compared.
        logp = torch.from_numpy(case.logp).requires_grad_()
        losses = policy_gradient(case.tokens(logp), objective(**CASES[name][0]))
        silent = [
            bool((torch.autograd.grad(loss, logp, retain_graph=True)[0] == 0).all()) for loss in losses.loss.unbind()
        ]
        moved = case.advantages != 0
        assert losses.clipped.tolist() == (np.array(silent) & moved).tolist()
        counts.append(int(losses.clipped.sum()))
    print(f"{name}: {counts} of {sum(LENGTHS)} tokens clipped")
    assert 0 < sum(counts) < 3 * (sum(LENGTHS) - 2)


def test_dual_clip_acts_where_the_plain_clip_does_not() -> None:
    """A < 0 and r > c: the loss stays at -c A, and only there."""
    logp = torch.tensor([0.0, 0.0, 0.0]).requires_grad_()
    old = torch.tensor([-2.0, -0.1, -2.0])
    tokens = Tokens(logp, torch.tensor([-1.0, -1.0, 1.0]), old, None, None, None, (3,))
    plain = policy_gradient(tokens, objective())
    limited = policy_gradient(tokens, objective(dualClip=3.0))
    assert plain.clipped.tolist() == [False, False, True]
    assert limited.clipped.tolist() == [True, False, True]
    np.testing.assert_allclose(plain.loss.tolist(), [math.exp(2), math.exp(0.1), -1.2], rtol=1e-6)
    np.testing.assert_allclose(limited.loss.tolist(), [3, math.exp(0.1), -1.2], rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_weights_may_stand_in_the_advantages(name: str) -> None:
    """Loss and gradient scale with them, whichever limits act: so the caller may normalise before the worker sums."""
    changes, _ = CASES[name]
    case = Case(5)
    plain, slope = case.found(objective(**changes))
    case.advantages, case.kl_weight = case.advantages * 4, case.kl_weight * 4
    scaled, steeper = case.found(objective(**changes))
    assert torch.equal(scaled.loss, plain.loss * 4) and torch.equal(scaled.clipped, plain.clipped)
    np.testing.assert_array_equal(steeper, slope * 4)


def test_cispo_gives_every_token_a_gradient() -> None:
    case = Case(1)
    losses, gradient = case.found(objective(**CASES["cispo"][0]))
    assert losses.clipped.any()
    assert ((gradient != 0) == (case.advantages != 0)).all()


def test_without_old_all_objectives_are_the_plain_policy_gradient() -> None:
    """r = 1 in value, token or sequence, clipped or not: the gradient is that of -A logp."""
    case = Case(1)
    case.old = np.full_like(case.old, np.nan)
    # Equal within each completion, so that the mean over its tokens redistributes nothing.
    case.advantages = np.float32(np.repeat([1.5, -2.0, -0.7, 0.9], LENGTHS) * WEIGHT)
    for name in ("no clip", "grpo", "dapo", "dual clip", "gspo", "cispo"):
        losses, gradient = case.found(objective(**CASES[name][0]))
        assert not losses.clipped.any()
        np.testing.assert_allclose(gradient, -case.advantages, rtol=1e-6, err_msg=name)


def test_kl_is_zero_at_the_reference_and_k2_k3_never_negative() -> None:
    case = Case(4)
    for estimator in ("k1", "k2", "k3"):
        losses, _ = case.found(objective(kl=kl(estimator)))
        assert losses.kl is not None
        if estimator != "k1":
            assert (losses.kl >= 0).all()
    case.reference = case.logp
    plain, slope = case.found(objective())
    for estimator in ("k2", "k3"):
        losses, gradient = case.found(objective(kl=kl(estimator)))
        assert losses.kl is not None and (losses.kl == 0).all()
        np.testing.assert_array_equal(gradient, slope)
        assert torch.equal(losses.loss, plain.loss)


def test_importance_reports_where_its_limit_acted() -> None:
    case = Case(1)
    gap = np.float64(case.old) - np.float64(case.sampler)
    losses, _ = case.found(objective(importance={"mode": "truncate", "limit": 1.4}))
    assert losses.corrected.tolist() == (np.exp(gap) > 1.4).tolist()
    losses, _ = case.found(objective(importance={"mode": "drop", "limit": 1.6}))
    sums = [part.sum() for part in np.split(gap, np.cumsum(LENGTHS)[:-1])]
    expected = np.repeat(np.abs(sums) > math.log(1.6), LENGTHS)
    assert losses.corrected.tolist() == expected.tolist() and 0 < expected.sum() < len(expected)


def test_a_sampler_that_agrees_corrects_nothing() -> None:
    case = Case(1)
    case.sampler = case.old
    plain, slope = case.found(objective())
    for mode in ("truncate", "drop"):
        losses, gradient = case.found(objective(importance={"mode": mode, "limit": 2.0}))
        assert not losses.corrected.any() and torch.equal(losses.loss, plain.loss)
        np.testing.assert_array_equal(gradient, slope)
