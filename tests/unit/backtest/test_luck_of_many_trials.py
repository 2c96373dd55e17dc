"""Against the worked example of Bailey and Lopez de Prado (2014)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from signals_app.backtest import deflated_sharpe

# Sharpe 2.5 a year over 1250 days, variance of the trials' ratios 1/2 a year, 250 days a year.
DAILY = 2.5 / math.sqrt(250)
VARIANCE = 0.5 / 250


def test_the_best_of_a_hundred_by_luck():
    assert deflated_sharpe.expected_best(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(
    ("trials", "skew", "kurtosis", "expected"),
    [(100, -3, 10, 0.9004), (46, -3, 10, 0.9505), (88, 0, 3, 0.9505)],
)
def test_the_deflated_sharpe_ratio(trials, skew, kurtosis, expected):
    bar = deflated_sharpe.expected_best(trials, VARIANCE)
    found = deflated_sharpe.probability(DAILY, bar, 1250, skew, kurtosis)
    assert found == pytest.approx(expected, abs=5e-5)


def test_one_trial_is_held_against_nothing():
    assert deflated_sharpe.expected_best(1, 0.0) == 0


def test_skew_and_kurtosis_by_hand():
    # Mean 0.25; about it -1/4 thrice and 3/4: skew 2/sqrt(3), kurtosis 7/3.
    found = deflated_sharpe.moments(np.array([0.0, 0.0, 0.0, 1.0]))
    assert found is not None
    sharpe, skew, kurtosis = found
    assert sharpe == pytest.approx(0.25 / 0.5)
    assert skew == pytest.approx(2 / math.sqrt(3))
    assert kurtosis == pytest.approx(7 / 3)


def test_the_best_of_many_without_an_edge_is_called_luck():
    random = np.random.default_rng(5)
    trials = random.normal(0, 0.01, (200, 250))
    sharpes = trials.mean(axis=1) / trials.std(axis=1, ddof=1)
    found = deflated_sharpe.deflated(trials[int(sharpes.argmax())], sharpes)
    assert found.is_luck
    assert "luck" in found.warning()


def test_an_edge_is_not_called_luck():
    random = np.random.default_rng(5)
    trials = random.normal(0, 0.01, (20, 500))
    trials[3] += 0.005
    sharpes = trials.mean(axis=1) / trials.std(axis=1, ddof=1)
    found = deflated_sharpe.deflated(trials[3], sharpes)
    assert (found.probability or 0) > 0.9


def test_flat_returns_say_that_nobody_can_say():
    found = deflated_sharpe.deflated(np.zeros(50), np.zeros(10))
    assert found.probability is None
    assert "nobody can say" in found.warning()
