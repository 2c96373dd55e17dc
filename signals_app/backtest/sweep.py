"""Many parameters over windows of time: chosen on what came before, measured on what came after.

A window is an in-sample stretch and the out-of-sample stretch that follows it; the next one begins
one out-of-sample stretch later. Every stretch is a run of its own with fresh money. Calls are
reckoned once over all candles: they depend on the past only, so a stretch begins warmed up.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from exchanges.domain.candles import DAY_MS, Candles, length_ms
from signals_app.backtest import candles as candle_run
from signals_app.backtest import deflated_sharpe, metrics
from signals_app.backtest.deflated_sharpe import Deflated
from signals_app.backtest.result import Result
from signals_app.backtest.setup import Setup, SetupInvalid
from signals_app.strategies.spec import ParamInvalid, StrategySpec
from signals_app.strategies.technical.base import Calls, TechnicalStrategy

MOST_TRIALS = 500
MOST_WINDOWS = 24
SHORTEST_DAYS = 3  # of an out-of-sample stretch
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """Candles [start, split) are in-sample, [split, stop) out-of-sample."""

    start: int
    split: int
    stop: int


def axes(words: Mapping[str, str]) -> dict[str, list[float]]:
    """Read the values to try: `5,10,20` or `5:50:5` (from, to and step). Raise SetupInvalid."""
    return {name: _axis(name, text) for name, text in words.items()}


def grid(spec: StrategySpec, tried: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Return the combinations that can be. Raise SetupInvalid: too many, or impossible values."""
    if not tried:
        raise SetupInvalid("grid", "name at least one parameter and its values, as fast=5:50:5")
    count = math.prod(len(values) for values in tried.values())
    if count > MOST_TRIALS:
        raise SetupInvalid("grid", f"{count:,} trials are too many: at most {MOST_TRIALS}")
    known = {param.name: param for param in spec.params}
    try:
        for name, values in tried.items():
            if name not in known:
                spec.resolved({name: values[0]})
            for value in values:
                known[name].checked(value)
    except ParamInvalid as error:
        raise SetupInvalid("grid", str(error)) from None
    names = list(tried)
    every = (dict(zip(names, each, strict=True)) for each in itertools.product(*tried.values()))
    found = [params for params in every if _fits(spec, params)]
    if not found:
        raise SetupInvalid("grid", "no combination of these values is possible")
    return found


def _fits(spec: StrategySpec, params: Mapping[str, float]) -> bool:
    """Say whether values that are possible each are so together (fast below slow)."""
    try:
        spec.resolved(params)
    except ParamInvalid:
        return False
    return True


def windows(candles: Candles, count: int, ratio: int) -> list[Window]:
    """Cut candles into `count` windows whose in-sample part is `ratio` times the other.

    Raise SetupInvalid when the stretches would be too short to say anything.
    """
    if not 1 <= count <= MOST_WINDOWS:
        raise SetupInvalid("windows", f"{count} is not between 1 and {MOST_WINDOWS}")
    if not 1 <= ratio <= 20:
        raise SetupInvalid("ratio", f"{ratio} is not between 1 and 20")
    length = len(candles) // (ratio + count)
    days = length * length_ms(candles.interval) / DAY_MS
    if length < 2 or days < SHORTEST_DAYS:
        raise SetupInvalid(
            "windows",
            f"{len(candles):,} candles in {count} windows leave {days:.1f} days to measure on:"
            f" take fewer windows or a longer time, {SHORTEST_DAYS} days at least",
        )
    return [
        Window(at * length, (at + ratio) * length, (at + ratio + 1) * length) for at in range(count)
    ]


def trial(
    strategy: TechnicalStrategy,
    candles: Candles,
    setup: Setup,
    cut: Sequence[Window],
    beat: Callable[[float], None] | None = None,
) -> Json:
    """Run one set of parameters over all candles and over every stretch. JSON-ready."""
    calls = strategy.calls(candles, setup.params)
    whole = _run(strategy, candles, calls, setup, 0, len(candles), beat)
    ends = metrics.period_ends(whole.looked_ms)
    returns = metrics.returns_of(whole.equity[ends], float(setup.cash))
    moments = deflated_sharpe.moments(returns)
    stretches = []
    for window in cut:
        inside = _run(strategy, candles, calls, setup, window.start, window.split, beat)
        outside = _run(strategy, candles, calls, setup, window.split, window.stop, beat)
        stretches.append({"in": _figures(inside), "out": _figures(outside)})
    return {
        "whole": _figures(whole),
        "moments": list(moments) if moments else None,
        "returns": len(returns),
        "windows": stretches,
    }


def summary(trials: Sequence[tuple[Mapping[str, float], Json]]) -> Json:
    """Choose for each window by its in-sample Sharpe ratio, and say what came of it after; and
    whether the best trial over all is more than luck. Trials are (params, result)."""
    rows = [
        {"params": dict(params), **result["whole"], "windows": result["windows"]}
        for params, result in trials
    ]
    chosen = [_choose(rows, at) for at in range(len(rows[0]["windows"]) if rows else 0)]
    best = _best([row["sharpe"] for row in rows])
    deflated = _deflated(trials, best)
    growth = math.prod(1 + (one["out"]["total_return"] or 0) for one in chosen if one)
    inside = [one["in"]["sharpe"] for one in chosen if one]
    outside = [one["out"]["sharpe"] for one in chosen if one and one["out"]["sharpe"] is not None]
    return {
        "best": best,
        "chosen": chosen,
        "out_of_sample_return": growth - 1 if any(chosen) else None,
        "mean_in_sharpe": _mean(inside),
        "mean_out_sharpe": _mean(outside),
        "deflated": None
        if deflated is None
        else {
            "trials": deflated.trials,
            "returns": deflated.returns,
            "sharpe_of_one": deflated.sharpe,
            "expected_best_of_one": deflated.expected_best,
            "skew": deflated.skew,
            "kurtosis": deflated.kurtosis,
            "probability": deflated.probability,
        },
        "warning": deflated.warning() if deflated else "No trial has a Sharpe ratio: none traded.",
        "heat": heat(rows),
    }


def heat(rows: Sequence[Json]) -> Json | None:
    """Lay the Sharpe ratios out over the first two parameters, the best of all others in each."""
    if not rows:
        return None
    names = list(rows[0]["params"])
    across, down = names[0], names[1] if len(names) > 1 else None
    columns = sorted({row["params"][across] for row in rows})
    lines = sorted({row["params"][down] for row in rows}) if down else [None]
    found: dict[tuple[Any, Any], float] = {}
    for row in rows:
        if row["sharpe"] is None:
            continue
        key = (row["params"][across], row["params"][down] if down else None)
        found[key] = max(found.get(key, -math.inf), row["sharpe"])
    return {
        "across": across,
        "down": down or "",
        "columns": columns,
        "lines": [
            {"value": line, "cells": [found.get((column, line)) for column in columns]}
            for line in lines
        ],
    }


# ---- inside ----------------------------------------------------------------------------------


def _run(
    strategy: TechnicalStrategy,
    candles: Candles,
    calls: Calls,
    setup: Setup,
    start: int,
    stop: int,
    beat: Callable[[float], None] | None,
) -> Result:
    return candle_run.run(
        strategy,
        candles.slice(start, stop),
        setup,
        calls=_cut(calls, start, stop),
        progress=beat,
    )


def _cut(calls: Calls, start: int, stop: int) -> Calls:
    columns = {name: column[start:stop] for name, column in calls.indicators.items()}
    names = ("side", "confidence", "stop_loss", "take_profit", "atr")
    cut: dict[str, Any] = {name: getattr(calls, name)[start:stop] for name in names}
    return replace(calls, **cut, indicators=columns)


def _figures(result: Result) -> Json:
    found = metrics.of(result)
    names = ("sharpe", "total_return", "max_drawdown", "profit_factor", "trades", "hit_rate")
    return {name: getattr(found, name) for name in names}


def _choose(rows: Sequence[Json], at: int) -> Json | None:
    best = _best([row["windows"][at]["in"]["sharpe"] for row in rows])
    if best is None:
        return None
    return {"trial": best, "params": rows[best]["params"], **rows[best]["windows"][at]}


def _best(sharpes: Sequence[float | None]) -> int | None:
    known = [(value, -at) for at, value in enumerate(sharpes) if value is not None]
    return -max(known)[1] if known else None


def _deflated(
    trials: Sequence[tuple[Mapping[str, float], Json]], best: int | None
) -> Deflated | None:
    """Deflate by the moments each trial kept. A trial that never traded counts with a ratio of 0:
    it was tried."""
    if best is None or trials[best][1]["moments"] is None:
        return None
    sharpes = np.array([(r["moments"] or [0.0])[0] for _, r in trials])
    sharpe, skew, kurtosis = trials[best][1]["moments"]
    returns = trials[best][1]["returns"]
    spread = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
    bar = deflated_sharpe.expected_best(len(sharpes), spread)
    found = deflated_sharpe.probability(sharpe, bar, returns, skew, kurtosis)
    return Deflated(len(sharpes), returns, sharpe, bar, skew, kurtosis, found)


def _axis(name: str, text: str) -> list[float]:
    try:
        if ":" not in text:
            found = [float(part) for part in text.split(",")]
        else:
            first, last, step = (float(part) for part in text.split(":"))
            if not step > 0 or not first <= last or not math.isfinite(last):
                raise ValueError
            count = math.floor((last - first) / step + 1e-9) + 1
            if count > MOST_TRIALS:
                raise SetupInvalid("grid", f"{name}: {count:,} values; at most {MOST_TRIALS}")
            found = [round(first + at * step, 10) for at in range(count)]
        if not all(map(math.isfinite, found)):
            raise ValueError
    except SetupInvalid:
        raise
    except ValueError:
        raise SetupInvalid("grid", f"{name}: write {text!r} as 5,10,20 or as 5:50:5") from None
    return list(dict.fromkeys(found))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
