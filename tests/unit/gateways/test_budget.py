"""The budget of one process: what it lets through and what it holds back."""

from __future__ import annotations

import pytest

from exchanges.domain.errors import OutcomeUnknown, RateLimited
from exchanges.domain.orders import OrderRequest
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from exchanges.venues.shared.rate_budget import Budget, Share
from tests.fakes.scripted_venue import ScriptedVenue

NOON_MS = 1795262400000


def budget_at(moment: list[int], max_weight: int = 0) -> Budget:
    return Budget("test", lambda: moment[0], max_weight=max_weight)


def weight(count: int) -> dict[str, str]:
    return {"X-MBX-USED-WEIGHT-1M": str(count)}


def test_a_read_near_the_limit_waits_for_the_next_minute() -> None:
    budget = budget_at([NOON_MS + 20_000])
    budget.observe(weight(5399))

    with pytest.raises(RateLimited) as caught:
        budget.spend(20, Share.NORMAL)

    assert caught.value.retry_after == pytest.approx(40)
    assert caught.value.scope == "weight"


def test_the_last_tenth_is_kept_for_cancels_exits_and_queries() -> None:
    budget = budget_at([NOON_MS])
    budget.observe(weight(5900))

    budget.spend(4, Share.VITAL)


def test_even_vital_calls_stop_at_the_limit() -> None:
    budget = budget_at([NOON_MS])
    budget.observe(weight(5999))

    with pytest.raises(RateLimited):
        budget.spend(4, Share.VITAL)


def test_heavy_listings_stop_first() -> None:
    budget = budget_at([NOON_MS])
    budget.observe(weight(4200))

    with pytest.raises(RateLimited):
        budget.spend(80, Share.LISTING)
    budget.spend(20, Share.NORMAL)


def test_a_new_minute_starts_at_nothing() -> None:
    moment = [NOON_MS]
    budget = budget_at(moment)
    budget.observe(weight(5999))

    moment[0] += 60_000

    budget.spend(80, Share.LISTING)


def test_an_older_and_lower_figure_does_not_count() -> None:
    budget = budget_at([NOON_MS])
    budget.observe(weight(5999))
    budget.observe(weight(12))

    with pytest.raises(RateLimited):
        budget.spend(20, Share.NORMAL)


def test_what_is_spent_counts_before_the_venue_says_so() -> None:
    budget = budget_at([NOON_MS], max_weight=100)

    for _ in range(4):
        budget.spend(20, Share.NORMAL)
    with pytest.raises(RateLimited):
        budget.spend(20, Share.NORMAL)


def test_our_own_cap_lowers_the_venues_limit() -> None:
    budget = budget_at([NOON_MS], max_weight=1200)
    budget.observe(weight(1190))

    with pytest.raises(RateLimited):
        budget.spend(20, Share.NORMAL)


def test_the_limit_is_the_one_exchange_info_names() -> None:
    budget = budget_at([NOON_MS])
    budget.learn({"weight": 100, "orders_10s": 50, "orders_day": 1000})

    with pytest.raises(RateLimited):
        budget.spend(95, Share.NORMAL)


def test_orders_near_their_limit_are_held_back_and_exits_still_go() -> None:
    budget = budget_at([NOON_MS + 4_000])
    budget.learn({"orders_10s": 100})
    budget.observe({"X-MBX-ORDER-COUNT-10S": "90"})

    with pytest.raises(RateLimited) as caught:
        budget.spend(0, Share.ENTRY, orders=1)
    budget.spend(0, Share.VITAL, orders=1)

    assert caught.value.scope == "orders"
    assert caught.value.retry_after == pytest.approx(6)


def test_the_order_count_may_shrink_as_orders_fill() -> None:
    budget = budget_at([NOON_MS])
    budget.learn({"orders_10s": 100})
    budget.observe({"X-MBX-ORDER-COUNT-10S": "95"})
    budget.observe({"X-MBX-ORDER-COUNT-10S": "3"})

    budget.spend(0, Share.ENTRY, orders=1)


def test_a_hundred_filled_orders_a_second_are_not_held_back() -> None:
    budget = budget_at([NOON_MS])
    budget.learn({"orders_10s": 100})

    for _ in range(1000):
        budget.spend(0, Share.ENTRY, orders=1)
        budget.observe({"X-MBX-ORDER-COUNT-10S": "0"})


def test_after_too_many_requests_nothing_is_sent_until_the_time_is_up(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.refuse_next(429, -1003, "Too much request weight used.", {"Retry-After": "30"})
    with pytest.raises(RateLimited):
        gateway.place_order(market_buy)

    for call in (
        lambda: gateway.cancel_order("BTCUSDT", "entry-1"),
        lambda: gateway.last_price("BTCUSDT"),
        lambda: gateway.place_order(market_buy),
    ):
        with pytest.raises(RateLimited, match="not sent") as caught:
            call()
        assert 28 < caught.value.retry_after <= 30

    assert len(venue.trades_seen) == 1


def test_after_too_many_orders_cancels_and_reads_still_go(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.refuse_next(429, -1015, "Too many new orders.", {"Retry-After": "8"})
    with pytest.raises(RateLimited):
        gateway.place_order(market_buy)

    venue.fill_next(origClientOrderId="entry-1", status="CANCELED")
    gateway.cancel_order("BTCUSDT", "entry-1")
    with pytest.raises(RateLimited, match="not sent"):
        gateway.place_order(market_buy)


def test_a_ban_is_kept_to(gateway: BinanceSpotGateway, venue: ScriptedVenue) -> None:
    venue.answer_next(b"<html>banned</html>", status=418, headers={"Retry-After": "120"})
    with pytest.raises(RateLimited):
        gateway.ping()

    with pytest.raises(RateLimited) as caught:
        gateway.ping()

    assert caught.value.scope == "ban"


def test_the_weight_of_a_lost_reply_is_not_known_and_holds_nothing_back(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.hang_up_next()
    with pytest.raises(OutcomeUnknown):
        gateway.place_order(market_buy)
    venue.fill_next()

    assert gateway.query_order("BTCUSDT", "entry-1").executed_quantity
