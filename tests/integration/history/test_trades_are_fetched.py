from __future__ import annotations

import math
from typing import Any

import pytest

from exchanges.domain.errors import NotSent
from exchanges.history import trades
from exchanges.models import Series
from exchanges.venues.binance.kline_rows import AggTrade
from tests.places import SIMULATOR

pytestmark = pytest.mark.django_db
START = 1_723_161_590_000  # ten seconds before 2024-08-09
BTC: dict[str, Any] = {"venue": SIMULATOR, "symbol": "BTCUSDT"}


def made(count: int) -> list[AggTrade]:
    return [
        AggTrade(1000 + i, START + i * 10, 100.0, 0.5, 1 + i % 3, i % 2 == 0) for i in range(count)
    ]


def fetch(spot, *, end_ms: int = START + 60_000) -> int:
    return sum(page.stored for page in trades.fill(spot, "BTCUSDT", START, end_ms))


def stored():
    return trades.load(**BTC, start_ms=START, end_ms=START + 60_000)


def test_they_are_stored_once_in_the_venue_s_order(spot, venue):
    venue.trades = made(2500)

    assert fetch(spot) == 2500
    assert stored() == venue.trades
    one = Series.objects.get(interval="trades")
    assert (one.first_ms, one.rows) == (START, 2500)


def test_what_is_stored_is_passed_over(spot, venue):
    venue.trades = made(2500)
    trades.store(**BTC, rows=venue.trades[:1700] + venue.trades[1900:])

    assert fetch(spot) == 200

    assert [p.get("fromId") for _, p in venue.pages] == [None, "2700"]
    assert stored() == venue.trades


def test_a_fetch_that_broke_goes_on_where_it_ended(spot, venue):
    venue.trades = made(2500)
    pages = trades.fill(spot, "BTCUSDT", START, START + 60_000)
    next(pages)
    venue.fail_next(3)
    with pytest.raises(NotSent):
        next(pages)

    assert fetch(spot) == 1500


def test_the_end_does_not_count(spot, venue):
    venue.trades = made(2500)

    assert fetch(spot, end_ms=START + 5000) == 500


def test_hours_without_a_trade_are_passed(spot, venue):
    venue.trades = [trade._replace(at_ms=trade.at_ms + 3 * 3_600_000) for trade in made(5)]

    assert fetch(spot, end_ms=START + 4 * 3_600_000) == 5


@pytest.mark.parametrize(
    ("field", "value"), [("price", 0.0), ("quantity", math.nan), ("at_ms", 10**16)]
)
def test_a_trade_that_cannot_be_is_refused(field, value):
    with pytest.raises(trades.BadTrade, match=rf"trade 1000, {field} = "):
        trades.store(**BTC, rows=[made(1)[0]._replace(**{field: value})])
