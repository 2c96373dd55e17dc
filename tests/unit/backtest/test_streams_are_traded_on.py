from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal as D

import orjson
import pytest

from exchanges.market_data import recorded
from exchanges.market_data.bus import Kind, enveloped
from signals_app.backtest import ticks
from signals_app.backtest.setup import Costs, SetupInvalid
from signals_app.payload.draft import Action
from signals_app.strategies import realtime
from signals_app.strategies.emission import Emission
from tests import recordings
from tests.unit.backtest.worlds import FREE, START_MS, SYMBOL, setup

SLOW = replace(FREE, latency_ms=100)


@dataclass(frozen=True)
class Frame:
    kind: Kind
    at_ms: int
    data: dict
    symbol: str = SYMBOL

    @property
    def raw(self) -> bytes:
        return enveloped("btcusdt@x", orjson.dumps(self.data), self.at_ms)


def book(ms, bid, ask, size="5"):
    data = {"lastUpdateId": ms, "bids": [[str(bid), size]], "asks": [[str(ask), size]]}
    return Frame(Kind.DEPTH, START_MS + ms, data)


def trade(ms, price, quantity="1", maker=True):
    at = START_MS + ms
    data = {"t": ms, "T": at, "p": str(price), "q": quantity, "m": maker}
    return Frame(Kind.TRADE, at, data)


class SaysAt:
    """Says what it is told at the book of a moment."""

    stream = Kind.DEPTH

    def __init__(self, calls, stop=None, target=None):
        self.calls, self.levels = calls, {"stop_loss": stop, "take_profit": target}

    def decode(self, raw):
        return orjson.loads(raw)

    def take(self, symbol, frame, now_ms):
        action = self.calls.get(now_ms - START_MS)
        if action is None:
            return None
        price = float(frame["data"]["bids"][0][0])
        return Emission("test", symbol, action, 0.9, now_ms, price, "so", **self.levels)


def fills(strategy, frames, **changes):
    found, _ = ticks.run(strategy, frames, setup(**changes))
    return [(f.side, f.why, f.price, f.at_ms - START_MS) for f in found.fills]


def test_an_order_meets_the_book_of_its_arrival():
    frames = [book(0, 100, 101), book(50, 110, 111), book(100, 120, 121), book(2000, 120, 121)]
    assert fills(SaysAt({0: Action.BUY}), frames, costs=SLOW) == [("BUY", "entry", 111, 100)]


def test_a_book_that_is_thin_fills_in_part():
    frames = [book(0, 100, 101, "0.4"), book(200, 100, 101, "0.4"), book(2000, 100, 101)]
    found, _ = ticks.run(SaysAt({0: Action.BUY}), frames, setup(costs=SLOW))
    assert [f.quantity for f in found.fills] == [D("0.4")]


def test_a_trade_at_the_stop_sells_at_the_bid():
    frames = [
        book(0, 100, 101),
        book(1000, 100, 101),
        book(2000, 96, 97),
        trade(2100, 95),
        book(4000, 90, 91),
    ]
    said = SaysAt({0: Action.BUY}, stop=95.0, target=120.0)
    assert fills(said, frames, costs=SLOW)[1] == ("SELL", "stop", 96, 2100)


def test_a_market_past_the_stop_before_that_rests_is_left_at_once():
    frames = [book(0, 100, 101), trade(150, 94), book(1000, 100, 101), book(3000, 100, 101)]
    said = SaysAt({0: Action.BUY}, stop=95.0, target=120.0)
    # It filled at 100, its protection arrived at 300, and the venue refused a stop already passed.
    assert fills(said, frames, costs=SLOW)[1] == ("SELL", "stop", 100, 300)


def test_a_sale_closes_what_is_held():
    frames = [book(0, 100, 101), book(1000, 105, 106), book(2000, 107, 108)]
    found = fills(SaysAt({0: Action.BUY, 1000: Action.SELL}), frames)
    assert [f[:3] for f in found] == [("BUY", "entry", 101), ("SELL", "exit", 105)]


def test_a_stale_quote_denies():
    class Late(SaysAt):
        stream = Kind.TRADE

        def take(self, symbol, frame, now_ms):
            return Emission("test", symbol, Action.BUY, 0.9, now_ms, 100.0, "so")

    frames = [book(0, 100, 101), trade(2000, 100), book(3000, 100, 101)]
    found, _ = ticks.run(Late({}), frames, setup())
    assert dict(found.said.denied) == {"QUOTE_STALE": 1}


def test_the_spread_of_the_real_book_is_what_it_cost():
    frames = [book(0, 100, 102), book(1000, 100, 102), book(2500, 100, 102)]
    found, _ = ticks.run(SaysAt({0: Action.BUY}), frames, setup(costs=Costs(D(0), D(50), D(0))))
    assert [(f.spread, f.slippage) for f in found.fills] == [(D(1), D(0))]


def test_a_stream_without_books_is_refused():
    with pytest.raises(SetupInvalid, match="no books of BTCUSDT"):
        ticks.run(SaysAt({}), [trade(0, 100)], setup())


@recordings.needed
@pytest.mark.parametrize("spec", realtime.SPECS, ids=lambda s: s.strategy_id)
def test_our_strategies_trade_on_the_recording_alike_every_time(spec):
    params = spec.resolved(spec.presets.get("recommended", {}))
    limits = {"default_base_quantity": D("0.01")}
    one, again = (
        ticks.run(
            realtime.made(spec, params), recorded.frames(recordings.SPOT), setup(limits=limits)
        )[0]
        for _ in "ab"
    )
    assert one.fills
    assert one.digest == again.digest
