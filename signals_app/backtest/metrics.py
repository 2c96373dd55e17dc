"""What a result came to in figures. A figure that cannot be reckoned is None, never inf or NaN.

Returns are those of UTC days (a year has 365 of them: crypto trades round the clock), or of the
candles where those are longer than a day. docs/backtests.md has the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from exchanges.domain.candles import DAY_MS, Floats, Integers
from signals_app.backtest.result import Result, total
from signals_app.backtest.setup import ZERO

DAYS_A_YEAR = 365
YEAR_MS = DAYS_A_YEAR * DAY_MS
SHORTEST_YEARLY_MS = 30 * DAY_MS  # below, nothing is stated per year but ratios
FLAT = 1e-12  # a deviation below is rounding


@dataclass(frozen=True, slots=True)
class Month:
    """Returns of one calendar month (UTC), shares: 0.02 is 2 %."""

    name: str  # 2025-03
    strategy: float
    hold: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares unless the name says otherwise; money in quote units; None: cannot be reckoned."""

    total_return: float | None
    annual_return: float | None
    max_drawdown: float | None  # at or below 0
    longest_drawdown_days: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    volatility: float | None  # of a year
    profit_factor: float | None
    hit_rate: float | None
    expectancy: float | None  # quote units a closed trade
    expectancy_pct: float | None  # percent of what it cost
    average_win: float | None
    average_loss: float | None
    best_trade: float | None
    worst_trade: float | None
    average_hours: float | None
    trades: int
    wins: int
    losses: int
    exposure: float | None  # of the time
    turnover: float | None  # traded value over average equity
    fees: float
    spread: float
    slippage: float
    hold_return: float | None
    hold_max_drawdown: float | None
    hold_sharpe: float | None
    start_equity: float
    end_equity: float
    days: float
    returns: int  # how many the ratios are of
    period: str = "day"
    months: tuple[Month, ...] = field(default=())

    @property
    def costs(self) -> float:
        return self.fees + self.spread + self.slippage


def of(result: Result) -> Figures:
    """Reckon everything about a result."""
    setup = result.setup
    start, end = float(setup.cash), float(result.equity[-1])
    span_ms = int(result.looked_ms[-1]) - result.began_ms
    hold = hold_curve(result)
    ends = period_ends(result.looked_ms)
    returns = returns_of(result.equity[ends], start)
    hold_returns = returns_of(hold[ends], start)
    per_year = _per_year(result.looked_ms)
    drawdown = max_drawdown(result.equity, start)
    yearly = annual_return(end / start, span_ms)
    profits = [float(t.profit) for t in result.trades]
    hours = [(t.closed_ms - t.opened_ms) / 3_600_000 for t in result.trades]
    wins = [p for p in profits if p > 0]
    losses = [p for p in profits if p < 0]
    traded = float(total(f.price * f.quantity for f in result.fills))
    average = float(result.equity.mean())
    return Figures(
        total_return=end / start - 1,
        annual_return=yearly,
        max_drawdown=drawdown,
        longest_drawdown_days=longest_drawdown(result.looked_ms, result.equity, start),
        sharpe=sharpe(returns, per_year),
        sortino=sortino(returns, per_year),
        calmar=yearly / -drawdown if yearly is not None and drawdown else None,
        volatility=volatility(returns, per_year),
        profit_factor=profit_factor(profits),
        hit_rate=len(wins) / len(profits) if profits else None,
        expectancy=_mean(profits),
        expectancy_pct=_mean([float(t.share) * 100 for t in result.trades]),
        average_win=_mean(wins),
        average_loss=_mean(losses),
        best_trade=max(profits, default=None),
        worst_trade=min(profits, default=None),
        average_hours=_mean(hours),
        trades=len(profits),
        wins=len(wins),
        losses=len(losses),
        exposure=exposure(result),
        turnover=traded / average if average > 0 else None,
        fees=_sum(f.fee for f in result.fills),
        spread=_sum(f.spread for f in result.fills),
        slippage=_sum(f.slippage for f in result.fills),
        hold_return=float(hold[-1]) / start - 1,
        hold_max_drawdown=max_drawdown(hold, start),
        hold_sharpe=sharpe(hold_returns, per_year),
        start_equity=start,
        end_equity=end,
        days=span_ms / DAY_MS,
        returns=len(returns),
        period="day" if per_year == DAYS_A_YEAR else "candle",
        months=months(result, hold),
    )


# ---- curves ----------------------------------------------------------------------------------


def hold_curve(result: Result) -> Floats:
    """Return what the cash is worth when it all buys at the start and is held: the same costs."""
    costs = result.setup.costs
    paid = result.first_price * float(1 + costs.half_spread + costs.slip)
    bought = float(result.setup.cash) / paid * float(1 - costs.fee_rate)
    return bought * result.marks


def period_ends(looked_ms: Integers) -> Integers:
    """Return the index of the last look of each UTC day; a look at midnight ends the day before.

    Where looks are further apart than a day, each is its own.
    """
    days = (looked_ms - 1) // DAY_MS
    return np.append(np.flatnonzero(np.diff(days)), len(days) - 1)


def returns_of(ends: Floats, start: float) -> Floats:
    before = np.concatenate(([start], ends[:-1]))
    if (before <= 0).any():
        return np.empty(0)
    return ends / before - 1


def _per_year(looked_ms: Integers) -> float:
    """Return how many returns a year has: days, or the candles where those are longer."""
    if len(looked_ms) < 2:
        return DAYS_A_YEAR
    apart = int(np.median(np.diff(looked_ms)))
    return DAYS_A_YEAR if apart <= DAY_MS else YEAR_MS / apart


# ---- ratios ----------------------------------------------------------------------------------


def sharpe(returns: Floats, per_year: float = DAYS_A_YEAR) -> float | None:
    """Return mean over standard deviation (n - 1) of the returns, times the root of the year."""
    if len(returns) < 2 or float(np.std(returns, ddof=1)) < FLAT:
        return None
    return _finite(_empyrical().sharpe_ratio(returns, annualization=per_year))


def sortino(returns: Floats, per_year: float = DAYS_A_YEAR) -> float | None:
    """Return mean over the root mean square of the losing returns, times the root of the year."""
    if len(returns) < 2 or float(np.sqrt(np.mean(np.minimum(returns, 0) ** 2))) < FLAT:
        return None
    return _finite(_empyrical().sortino_ratio(returns, annualization=per_year))


def volatility(returns: Floats, per_year: float = DAYS_A_YEAR) -> float | None:
    if len(returns) < 2:
        return None
    return _finite(_empyrical().annual_volatility(returns, annualization=per_year))


def annual_return(growth: float, span_ms: int) -> float | None:
    """Return the growth of a year (a factor less one); None below 30 days."""
    if span_ms < SHORTEST_YEARLY_MS or growth <= 0:
        return None
    return _finite(math.expm1(math.log(growth) * YEAR_MS / span_ms))


def max_drawdown(equity: Floats, start: float) -> float | None:
    """Return the deepest fall from a high, at or below 0, at every look."""
    if not len(equity):
        return None
    return (
        _finite(_empyrical().max_drawdown(returns_of(equity, start)))
        if (equity > 0).all()
        else -1.0
    )


def longest_drawdown(looked_ms: Integers, equity: Floats, start: float) -> float | None:
    """Return the days of the longest time below an earlier high, the running one included."""
    if not len(equity):
        return None
    is_below = equity < np.maximum.accumulate(np.maximum(equity, start))
    marks = np.unique(np.concatenate(([0], np.flatnonzero(~is_below), [len(equity) - 1])))
    since, until = marks[:-1], marks[1:]
    fell = is_below[since] | is_below[until] | (until - since > 1)
    spans = (looked_ms[until] - looked_ms[since])[fell]
    return float(spans.max(initial=0)) / DAY_MS


def profit_factor(profits: list[float]) -> float | None:
    """Return what winners earned over what losers lost; None while nothing lost."""
    lost = -sum(p for p in profits if p < 0)
    return sum(p for p in profits if p > 0) / lost if lost > 0 else None


def exposure(result: Result) -> float | None:
    """Return the share of looks at which more was held than the venue's least order."""
    least = float(result.setup.instrument.min_notional)
    if not len(result.held):
        return None
    worth = result.held * result.marks
    return float(((worth > 0) & (worth >= least)).mean())


def months(result: Result, hold: Floats) -> tuple[Month, ...]:
    """Return the returns of each calendar month that the run touches."""
    names = (result.looked_ms - 1).astype("datetime64[ms]").astype("datetime64[M]")
    ends = np.append(np.flatnonzero(np.diff(names.astype(np.int64))), len(names) - 1)
    start = float(result.setup.cash)
    found, before, before_hold = [], start, start
    for end in ends.tolist():
        here, here_hold = float(result.equity[end]), float(hold[end])
        found.append(
            Month(
                str(names[end]),
                here / before - 1 if before > 0 else 0.0,
                here_hold / before_hold - 1,
            )
        )
        before, before_hold = here, here_hold
    return tuple(found)


# ---- words -----------------------------------------------------------------------------------

DASH = "–"


def percent(value: float | None, places: int = 2) -> str:
    return DASH if value is None else f"{value * 100:,.{places}f} %"


def figure(value: float | None, places: int = 2) -> str:
    return DASH if value is None else f"{value:,.{places}f}"


Word = Callable[[Figures], str]
LINES: tuple[tuple[str, Word], ...] = (
    ("Return", lambda f: percent(f.total_return)),
    ("Buy and hold", lambda f: percent(f.hold_return)),
    ("Return of a year", lambda f: percent(f.annual_return)),
    ("Deepest drawdown", lambda f: percent(f.max_drawdown)),
    ("Longest drawdown", lambda f: f"{figure(f.longest_drawdown_days, 1)} days"),
    ("Sharpe", lambda f: figure(f.sharpe)),
    ("Sortino", lambda f: figure(f.sortino)),
    ("Calmar", lambda f: figure(f.calmar)),
    ("Volatility of a year", lambda f: percent(f.volatility)),
    ("Closed trades", lambda f: f"{f.trades:,}"),
    ("Hit rate", lambda f: percent(f.hit_rate, 1)),
    ("Profit factor", lambda f: figure(f.profit_factor)),
    ("Expectancy", lambda f: f"{figure(f.expectancy)} a trade"),
    ("Expectancy of cost", lambda f: DASH if f.expectancy_pct is None
     else f"{f.expectancy_pct:.3f} %"),
    ("Average win", lambda f: figure(f.average_win)),
    ("Average loss", lambda f: figure(f.average_loss)),
    ("Time in a trade", lambda f: f"{figure(f.average_hours, 1)} h"),
    ("Exposure", lambda f: percent(f.exposure, 1)),
    ("Turnover", lambda f: f"{figure(f.turnover, 1)} x equity"),
    ("Fees", lambda f: figure(f.fees)),
    ("Spread", lambda f: figure(f.spread)),
    ("Slippage", lambda f: figure(f.slippage)),
)  # fmt: skip


def lines(figures: Figures) -> list[tuple[str, str]]:
    """Return names and figures as people read them."""
    return [(name, word(figures)) for name, word in LINES]


def as_json(figures: Figures) -> dict[str, Any]:
    told = {name: getattr(figures, name) for name in Figures.__slots__ if name != "months"}
    return told | {
        "months": [{"month": m.name, "return": m.strategy, "hold": m.hold} for m in figures.months]
    }


def day_of(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _empyrical() -> Any:
    """Import it when it is first needed: it brings pandas, which takes a second."""
    import empyrical

    return empyrical


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _sum(values: Iterable[Decimal]) -> float:
    return float(sum(values, ZERO))


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
