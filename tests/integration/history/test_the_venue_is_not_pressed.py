from __future__ import annotations

import time

import pytest

from exchanges.domain.candles import opened_at
from exchanges.domain.errors import NotSent, RateLimited, Rejected
from exchanges.venues.shared.rate_budget import Share
from tests.fakes.candles import START_MS, candles

MINUTE = 60_000


def ask(history, symbol="BTCUSDT"):
    return history.klines(symbol, "1m", start_ms=START_MS, end_ms=START_MS + 3000 * MINUTE)


def test_a_page_is_paid_for_as_a_listing(spot, venue):
    venue.has(candles(10))
    used = []
    spot.budget.spend = lambda weight, share, **_: used.append((weight, share))

    ask(spot)

    assert used == [(1, Share.LISTING), (2, Share.LISTING)]  # the clock, then the page


def test_it_stops_where_what_is_left_is_for_entries_and_exits(spot, venue):
    venue.used_weight = 4199
    ask(spot)

    with pytest.raises(RateLimited) as refused:
        ask(spot)

    assert 0 < refused.value.retry_after <= 60
    assert len(venue.pages) == 1
    spot.budget.spend(4, Share.VITAL)  # an exit still goes


def test_a_venue_that_says_wait_is_left_alone(spot, venue):
    venue.answer_next({"code": -1003, "msg": "busy"}, status=429, headers={"Retry-After": "7"})

    for _ in range(2):
        with pytest.raises(RateLimited) as refused:
            ask(spot)
        assert 6 < refused.value.retry_after <= 7
    assert len(venue.pages) == 1


def test_a_hiccup_is_asked_again(spot, venue):
    venue.has(candles(3))
    venue.fail_next(2)

    assert len(ask(spot)) == 3


def test_a_venue_that_stays_away_is_given_up(spot, venue):
    venue.fail_next(3)

    with pytest.raises(NotSent):
        ask(spot)


def test_a_symbol_the_venue_does_not_know_is_final(spot, venue):
    with pytest.raises(Rejected) as refused:
        ask(spot, "NOSUCH")

    assert refused.value.code == -1121
    assert len(venue.pages) == 1


def test_spot_pages_hold_1000_and_usdm_pages_499_which_cost_least(spot, usdm, venue):
    venue.has(candles(3000))

    assert len(ask(spot)) == 1000
    assert len(ask(usdm)) == 499
    assert [path for path, _ in venue.pages] == ["/api/v3/klines", "/fapi/v1/klines"]


def test_closed_is_what_the_venue_s_clock_says(spot, venue):
    venue.has(candles(5))
    venue.now_ms = START_MS + 3 * MINUTE - 20_000

    assert len(ask(spot)) == 2


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ([START_MS, "1", "x"], "kline 0, high: 'x' is no number"),
        ([START_MS, "1", "1", "1"], "kline 0, close is missing"),
        ([str(START_MS)], "kline 0, opened_ms: '1723161600000' is no whole number"),
        ([START_MS, "NaN"], "kline 0, open: 'NaN' is not finite"),
    ],
)
def test_an_answer_that_cannot_be_read_names_row_and_field(spot, venue, row, named):
    for _ in range(3):
        venue.answer_next([row])

    with pytest.raises(NotSent, match=named):
        ask(spot)


def test_the_clock_is_asked_once(spot, venue):
    venue.has(candles(1))
    assert abs(spot.now_ms() - time.time() * 1000) < 5000
    assert opened_at("1m", spot.now_ms()) % MINUTE == 0
