"""A body that engulfs the one before, against the move so far."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import above, below, graded, ratio, was
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class Engulfing(Rule):
    spec = StrategySpec(
        strategy_id="engulfing",
        title="Engulfing pattern",
        kind=Kind.TECHNICAL,
        family=Family.PATTERN,
        formula=(
            "Buy at a bullish engulfing candle (TA-Lib CDLENGULFING) when the close before was "
            "below SMA(trend) and the body is at least min_body ATR; sell at a bearish one when it "
            "was above."
        ),
        params=(
            whole("trend", 20, 2, 200, "the average that tells the move so far"),
            Param("min_body", 0.5, 0.0, 5, "ATR", "smallest engulfing body"),
            *exits(stop=1.5, target=3.0),
        ),
        reference=(
            'Steve Nison, "Japanese Candlestick Charting Techniques", New York Institute of '
            "Finance (1991)"
        ),
        timeframes=("1h", "4h"),
        confidence="Size of the engulfing body: 0.5 at min_body, 1 two ATR more.",
    )
    because = (
        "A rising body of {body} ATR engulfs the falling one before it, below its average {trend}.",
        "A falling body of {body} ATR engulfs the rising one before it, above its average {trend}.",
    )

    def memory(self, p: Params) -> int:
        return int(p["trend"]) + 2

    def look(self, market: Market, p: Params) -> Look:
        pattern = ta.CDLENGULFING(market.open, market.high, market.low, market.close)
        trend = ta.SMA(market.close, timeperiod=p["trend"])
        body = ratio(np.abs(market.close - market.open), market.atr)
        was_below, was_above = below(market.close, trend), above(market.close, trend)
        is_large = body >= p["min_body"]
        return Look(
            (pattern > 0) & is_large & was(was_below),
            (pattern < 0) & is_large & was(was_above),
            graded(body, p["min_body"], p["min_body"] + 2),
            {"trend": trend},
            {"body": body},
        )
