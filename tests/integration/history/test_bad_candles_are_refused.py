from __future__ import annotations

import math
import time
from typing import Any

import pytest

from exchanges.domain.candle_checks import BadCandle, UnclosedCandle
from exchanges.domain.candles import UnknownInterval, opened_at
from exchanges.history import store
from exchanges.models import Series
from tests.fakes.candles import START_MS, candle
from tests.places import SIMULATOR

pytestmark = pytest.mark.django_db
BTC: dict[str, Any] = {"venue": SIMULATOR, "symbol": "BTCUSDT", "interval": "1m"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("opened_ms", START_MS + 1),
        ("opened_ms", -60_000),
        ("opened_ms", START_MS * 1000),
        ("open", math.nan),
        ("close", 0.0),
        ("high", 100.5),
        ("low", 100.5),
        ("volume", -1.0),
        ("quote_volume", math.inf),
        ("trades", -1),
    ],
)
def test_the_row_and_the_field_are_named(field, value):
    rows = [candle(), candle(START_MS + 60_000)._replace(**{field: value})]

    with pytest.raises(BadCandle, match=rf"row 1, {field} = "):
        store.store(**BTC, rows=rows)
    assert not Series.objects.exists()


def test_a_candle_that_still_changes_is_refused():
    now = opened_at("1m", time.time_ns() // 1_000_000 + 30_000)

    with pytest.raises(UnclosedCandle, match="not closed"):
        store.store(**BTC, rows=[candle(now)])


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("interval", "7m", UnknownInterval),
        ("interval", "funding", UnknownInterval),
    ],
)
def test_a_name_nobody_knows_is_refused(field, value, error):
    with pytest.raises(error, match=value):
        store.store(**(BTC | {field: value}), rows=[candle()])
