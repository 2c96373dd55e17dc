from __future__ import annotations

from typing import Any

import pytest

from audit.models import Event
from exchanges.history import gaps, repair, store
from exchanges.models import CandleRow, Series
from tests.fakes.candles import candles
from tests.places import MAINNET

pytestmark = pytest.mark.django_db
BTC: dict[str, Any] = {"venue": MAINNET, "symbol": "BTCUSDT", "interval": "1m"}


@pytest.fixture
def series(settings):
    settings.VENUE_ENVIRONMENT = "simulator"
    rows = candles(100)
    store.store(**BTC, rows=rows[:40] + rows[60:])
    return Series.objects.get()


def test_it_repairs_any_series_on_record(series, venue, open_history):
    venue.has(candles(100))

    assert repair.now(series.pk, actor="ann", open_history=open_history) == 20

    event = Event.objects.get(kind="history.repaired")
    assert (event.actor, event.environment, event.data["stored"]) == ("ann", "mainnet", 20)
    series.refresh_from_db()
    assert gaps.missing(series) == 0


def test_it_asks_for_known_outages_too(series, venue, open_history):
    venue.has(candles(100)[:40] + candles(100)[60:])
    repair.now(series.pk, actor="ann", open_history=open_history)
    venue.has(candles(100))

    assert repair.now(series.pk, actor="ann", open_history=open_history) == 20


def test_it_finds_what_was_deleted_behind_our_back(series, venue, open_history):
    venue.has(candles(100))
    repair.now(series.pk, actor="ann", open_history=open_history)
    CandleRow.objects.filter(opened_ms__gte=candles(100)[90].opened_ms).delete()
    CandleRow.objects.filter(opened_ms=candles(100)[10].opened_ms).delete()

    assert repair.now(series.pk, actor="ann", open_history=open_history) == 1

    series.refresh_from_db()
    assert (series.rows, gaps.missing(series)) == (90, 0)


def test_what_went_wrong_is_told(series, venue, open_history):
    venue.fail_next(3)

    assert repair.now(series.pk, actor="ann", open_history=open_history) == 0

    series.refresh_from_db()
    assert "busy" in series.trouble
    assert "busy" in Event.objects.get(kind="history.repaired").data["trouble"]


def test_a_series_with_trouble_rests_and_then_is_tried_again(venue, open_history, settings):
    settings.VENUE_ENVIRONMENT = "simulator"
    settings.TRADING_SYMBOLS, settings.CANDLE_INTERVALS = ["BTCUSDT"], ["1m"]
    venue.fail_next(3)

    first = repair.look(seconds=5, open_history=open_history)
    second = repair.look(seconds=5, open_history=open_history)

    assert (first.troubled, second.series) == (1, 0)
    Series.objects.update(checked_at="2024-08-09T00:00:00Z")
    assert repair.look(seconds=5, open_history=open_history).series == 1
