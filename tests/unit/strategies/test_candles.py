from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import candles
from exchanges.domain.candles import Candle, Candles

MINUTE = candles.MINUTE_MS


def candle(opened_ms: int, close: float = 10.0) -> Candle:
    return Candle(opened_ms, 10.0, 11.0, 9.0, close, 5.0, 50.0, 3, 2.0, 20.0)


def series(*opened_ms: int) -> Candles:
    return Candles.of("BTCUSDT", "1m", [candle(at, float(at)) for at in opened_ms])


@given(st.sampled_from(sorted(candles.INTERVALS)), st.integers(0, 4_000_000_000_000))
def test_a_moment_lies_in_its_candle(interval: str, at_ms: int):
    opened = candles.opened_at(interval, at_ms)
    assert opened <= at_ms < opened + candles.length_ms(interval)
    assert candles.opened_at(interval, opened) == opened


def test_weeks_open_on_monday():
    monday = 1_723_420_800_000  # 2024-08-12
    assert candles.opened_at("1w", monday + 5) == monday
    assert candles.opened_at("1w", monday - 1) == monday - 7 * candles.DAY_MS


def test_an_unknown_interval_is_named_with_the_known_ones():
    with pytest.raises(candles.UnknownInterval, match="'2m' is no interval: use one of 1s, 1m"):
        candles.length_ms("2m")


def test_columns_give_back_their_rows():
    rows = [candle(0), candle(MINUTE, 12.5)]
    assert list(Candles.of("BTCUSDT", "1m", rows)) == rows


def test_nothing_is_a_series_too():
    assert len(Candles.of("BTCUSDT", "1m", [])) == 0
    assert Candles.of("BTCUSDT", "1m", []).gaps() == []


def test_the_head_is_the_past_as_it_stood():
    whole = series(0, MINUTE, 2 * MINUTE)
    assert list(whole.head(2)) == list(series(0, MINUTE))


def test_gaps_are_what_is_missing_in_between():
    assert series(0, MINUTE, 4 * MINUTE, 6 * MINUTE).gaps() == [
        (2 * MINUTE, 4 * MINUTE),
        (5 * MINUTE, 6 * MINUTE),
    ]
