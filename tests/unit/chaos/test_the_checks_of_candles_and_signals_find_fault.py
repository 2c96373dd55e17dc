"""A proof that cannot fail proves nothing: for each promise data that breaks it, beside some that
just keeps it."""

from __future__ import annotations

import pytest

from tests.chaos import candles, said
from tests.chaos.candles import Stored
from tests.chaos.said import Said

MINUTE = 60_000
FIGURES = (1.0, 3.0, 0.5, 2.0, 10.0, 20.0, 7.0, 4.0, 8.0)
BTC = ("BTCUSDT", "1m")
COOLDOWNS = {"trade_momentum": 10.0}


def row(minute: int, figures: tuple[float, ...] = FIGURES, series: tuple[str, str] = BTC) -> Stored:
    return Stored(*series, minute * MINUTE, figures)


def told(*minutes: int) -> dict[tuple[str, str], dict[int, tuple[float, ...]]]:
    return {BTC: {minute * MINUTE: FIGURES for minute in minutes}}


def test_candles_as_the_venue_told_them_are_right_in_any_order():
    assert candles.faults(told(1, 2, 3), [row(3), row(1), row(2)]) == []


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([row(1), row(3)], "lost"),
        ([row(1), row(2), row(2), row(3)], "stored 2 times"),
        ([row(1), row(2), row(3), row(4)], "not the venue's"),
        ([row(1), row(2, (*FIGURES[:-1], 8.0000001)), row(3)], "is not"),
        ([row(1), row(2), row(3), row(1, series=("ETHUSDT", "1m"))], "not the venue's"),
        ([], "lost"),
    ],
)
def test_a_candle_that_is_not_as_it_was_told_is_found(rows, word):
    faults = candles.faults(told(1, 2, 3), rows)
    assert faults
    assert all(word in fault for fault in faults)


def one(second: float, uid: str = "", **changes: str) -> Said:
    named = {
        "strategy": "trade_momentum",
        "symbol": "BTCUSDT",
        "action": "buy",
        "timeframe": "",
        **changes,
    }
    return Said(uid=uid or f"{second}:{changes}", at_ms=round(second * 1000), **named)


def test_what_is_said_a_cooldown_apart_is_no_double():
    assert said.faults([one(20), one(0), one(10)], COOLDOWNS) == []


@pytest.mark.parametrize(
    "other", [{"symbol": "ETHUSDT"}, {"action": "sell"}, {"strategy": "golden_cross"}]
)
def test_sides_symbols_and_strategies_have_cooldowns_of_their_own(other):
    assert said.faults([one(0), one(1, **other)], COOLDOWNS | {"golden_cross": 10.0}) == []


def test_the_same_side_within_the_cooldown_is_found():
    assert len(said.faults([one(0), one(30), one(9.999)], COOLDOWNS)) == 1


def test_a_uid_on_the_bus_twice_is_found():
    assert "2 times" in said.faults([one(0, "a"), one(100, "a")], COOLDOWNS)[0]


def test_a_candle_of_which_a_strategy_speaks_twice_is_found():
    candle = {"strategy": "golden_cross", "timeframe": "1m"}
    assert said.faults([one(60, **candle), one(120, **candle)], {}) == []
    doubled = [one(60, **candle), one(60, "other", action="sell", **candle)]
    assert len(said.faults(doubled, {})) == 1


def test_a_signal_that_is_not_in_the_table_or_twice_or_of_nobody_is_found():
    bus = [one(0, "a"), one(1, "b")]
    assert said.not_taken(bus, ["b", "a"]) == []
    assert "not in the table" in said.not_taken(bus, ["a"])[0]
    assert "2 rows" in said.not_taken(bus, ["a", "b", "b"])[0]
    assert "never said" in said.not_taken(bus, ["a", "b", "c"])[0]


def test_two_entries_of_one_signal_at_the_venue_are_found():
    orders = [
        {"signal_uid": "a", "client_order_id": "1"},
        {"signal_uid": "a", "client_order_id": "2"},
        {"signal_uid": "b", "client_order_id": "3"},
    ]
    assert said.entries_doubled(orders, ["1", "3"]) == []  # the other never got there
    assert said.entries_doubled(orders, ["1", "2", "3"]) == ["a: 2 entries"]
    assert said.entries_doubled(orders, ["1", "3", "3"]) == ["b: 2 entries"]
