"""On-balance volume pulls away from its average, with the price."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import above, below, graded, ratio, usual_volume
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class ObvTrend(Rule):
    spec = StrategySpec(
        strategy_id="obv_trend",
        title="OBV trend",
        kind=Kind.TECHNICAL,
        family=Family.VOLUME,
        formula=(
            "flow = (OBV - SMA(OBV, period)) / SMA(volume, period). Buy when flow is above "
            "min_flow and the close above SMA(trend); sell when flow is below -min_flow and the "
            "close below it."
        ),
        params=(
            whole("period", 20, 2, 200, "averages of OBV and of volume"),
            Param(
                "min_flow",
                2.0,
                0.1,
                20,
                "usual candles",
                "how far OBV has to be from its average",
            ),
            whole("trend", 50, 2, 400, "the average price has to be beyond"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=('Joseph Granville, "New Key to Stock Market Profits", Prentice-Hall (1963)'),
        timeframes=("15m", "1h"),
        confidence="Flow: 0.5 at min_flow, 1 at three times that.",
    )
    because = (
        "OBV is {flow} usual candles above its average and the close {close} above {trend}.",
        "OBV is {flow} usual candles from its average and the close {close} below {trend}.",
    )

    def memory(self, p: Params) -> int:
        return max(2 * int(p["period"]), int(p["trend"]))

    def look(self, market: Market, p: Params) -> Look:
        close, volume = market.close, market.volume
        obv = ta.OBV(close, volume)
        usual = usual_volume(volume, p["period"])
        flow = ratio(obv - ta.SMA(obv, timeperiod=p["period"]), usual)
        trend = ta.SMA(close, timeperiod=p["trend"])
        return Look(
            above(flow, p["min_flow"]) & above(close, trend),
            below(flow, -p["min_flow"]) & below(close, trend),
            graded(np.abs(flow), p["min_flow"], 3 * p["min_flow"]),
            {"trend": trend},
            {"flow": flow},
        )
