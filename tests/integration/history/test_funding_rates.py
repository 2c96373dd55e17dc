from __future__ import annotations

from typing import Any

import pytest

from exchanges.history import funding
from exchanges.models import Series
from exchanges.venues.binance.kline_rows import Funding
from tests.places import USDM

pytestmark = pytest.mark.django_db
HOURS_8 = 8 * 3_600_000
START = 1_577_836_800_000


def rates(count: int) -> list[dict[str, object]]:
    """The venue's rows: stamps a few ms past the hour; only newer ones carry a mark price."""
    return [
        {"symbol": "BTCUSDT", "fundingTime": START + i * HOURS_8 + i % 11, "fundingRate": "0.0001"}
        | ({"markPrice": "37000.5", "rateType": "Regular"} if i % 2 else {"markPrice": ""})
        for i in range(count)
    ]


def fetch(usdm) -> int:
    return sum(page.stored for page in funding.fill(usdm, "BTCUSDT", START, START + 2000 * HOURS_8))


def test_they_are_fetched_page_by_page_and_stored_once(usdm, venue):
    venue.fundings = rates(1500)

    assert fetch(usdm) == 1500
    assert fetch(usdm) == 0

    loaded = funding.load(venue=USDM, symbol="BTCUSDT")
    assert len(loaded) == 1500
    assert loaded[1] == Funding(START + HOURS_8 + 1, 0.0001, 37000.5, "Regular")
    assert loaded[0].mark_price is None


def test_a_correction_overwrites(usdm, venue):
    venue.fundings = rates(3)
    fetch(usdm)
    venue.fundings[1]["fundingRate"] = "-0.0003"

    fetch(usdm)

    assert funding.load(venue=USDM, symbol="BTCUSDT")[1].rate == -0.0003


def test_the_series_knows_first_last_and_count(usdm, venue):
    venue.fundings = rates(3)
    fetch(usdm)

    one = Series.objects.get(interval="funding")
    assert (one.first_ms, one.last_ms, one.rows) == (START, START + 2 * HOURS_8 + 2, 3)


def test_a_stretch_is_loaded(usdm, venue):
    venue.fundings = rates(9)
    fetch(usdm)
    btc: dict[str, Any] = {"venue": USDM, "symbol": "BTCUSDT"}

    found = funding.load(**btc, start_ms=START + HOURS_8, end_ms=START + 3 * HOURS_8)

    assert len(found) == 2
