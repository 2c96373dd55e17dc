"""How much of the best of many trials is luck: the deflated Sharpe ratio.

Bailey and Lopez de Prado, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40(5), 2014.
Sharpe ratios here are of one return, not of a year.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from exchanges.domain.candles import Floats

EULER_MASCHERONI = 0.5772156649015329
SURE = 0.95
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Deflated:
    """`expected_best` is the Sharpe ratio that the best of so many trials has by luck alone;
    `probability` that the best one's true ratio is above 0 when that is allowed for."""

    trials: int
    returns: int
    sharpe: float
    expected_best: float
    skew: float
    kurtosis: float
    probability: float | None

    @property
    def is_luck(self) -> bool:
        return self.probability is None or self.probability < SURE

    def warning(self) -> str:
        """Say it plainly; empty when the best looks like more than luck."""
        if not self.is_luck:
            return ""
        if self.probability is None:
            return (
                f"Of {self.trials} trials nobody can say whether the best is more than luck:"
                f" {self.returns} returns are too few, or they do not vary."
            )
        return (
            f"The best of {self.trials} trials is what luck would give: the chance that it is more"
            f" is {self.probability:.0%}, below {SURE:.0%}. Do not trade it on this."
        )


def deflated(returns: Floats, sharpes: Floats) -> Deflated:
    """Deflate the Sharpe ratio of the best trial's `returns` by those of all trials."""
    best = moments(returns)
    spread = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
    bar = expected_best(len(sharpes), spread)
    if best is None:
        return Deflated(len(sharpes), len(returns), 0.0, bar, 0.0, 3.0, None)
    sharpe, skew, kurtosis = best
    found = probability(sharpe, bar, len(returns), skew, kurtosis)
    return Deflated(len(sharpes), len(returns), sharpe, bar, skew, kurtosis, found)


def moments(returns: Floats) -> tuple[float, float, float] | None:
    """Return Sharpe ratio of one return, skewness and kurtosis (3 is normal); None when flat."""
    if len(returns) < 3:
        return None
    mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
    if deviation < 1e-12:
        return None
    scores = (returns - mean) / float(returns.std())
    return mean / deviation, float((scores**3).mean()), float((scores**4).mean())


def expected_best(trials: int, variance: float) -> float:
    """Return the expected highest Sharpe ratio of independent trials whose true ones are 0."""
    if trials < 2:
        return 0.0
    first = _NORMAL.inv_cdf(1 - 1 / trials)
    second = _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - EULER_MASCHERONI) * first + EULER_MASCHERONI * second)


def probability(
    sharpe: float, above: float, returns: int, skew: float, kurtosis: float
) -> float | None:
    """Return the probability that the true Sharpe ratio is above one, given what was seen."""
    variance = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    if returns < 2 or variance <= 0:
        return None
    return _NORMAL.cdf((sharpe - above) * math.sqrt(returns - 1) / math.sqrt(variance))
