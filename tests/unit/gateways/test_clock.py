"""The venue's clock: asked before the first signature, and again when ours is refused."""

from __future__ import annotations

import time

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderRequest
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from exchanges.venues.shared.clock import Clock
from tests.fakes.scripted_venue import ScriptedVenue

OUTSIDE = "Timestamp for this request is outside of the recvWindow."


def test_signed_calls_carry_the_venues_time_and_not_ours(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.clock_skew_ms = 7000
    venue.fill_next()

    gateway.place_order(market_buy)

    stamp = int(venue.calls("order")[0].params["timestamp"])
    assert stamp - time.time() * 1000 == pytest.approx(7000, abs=500)


def test_the_clock_is_asked_once_and_not_before_every_call(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    for _ in range(3):
        venue.fill_next()
        gateway.place_order(market_buy)

    assert len(venue.calls("time")) == 1


def test_an_order_with_a_refused_timestamp_is_left_to_its_sender_with_the_clock_set(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.refuse_next(400, -1021, OUTSIDE)

    with pytest.raises(errors.ClockRefused):
        gateway.place_order(market_buy)

    assert len(venue.calls("order")) == 1
    assert len(venue.calls("time")) == 2


def test_a_cancel_with_a_refused_timestamp_is_sent_once_more(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.refuse_next(400, -1021, OUTSIDE)
    venue.refuse_next(400, -2011, "Unknown order sent.")

    with pytest.raises(errors.Rejected):
        gateway.cancel_order("BTCUSDT", "entry-1")

    assert len(venue.calls("order")) == 2


def test_a_read_with_a_refused_timestamp_is_asked_again_by_the_right_clock(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.refuse_next(400, -1021, OUTSIDE)
    venue.answer_next([])

    assert gateway.open_orders("BTCUSDT") == []
    assert len(venue.calls("time")) == 2


def test_without_a_clock_nothing_is_sent(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.break_clock_next()

    with pytest.raises(errors.NotSent, match="clock"):
        gateway.place_order(market_buy)

    assert not venue.calls("order")


def test_the_venues_time_is_told_as_aware_utc(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.clock_skew_ms = -60_000

    told = gateway.server_time()

    assert told.utcoffset() is not None
    assert told.timestamp() == pytest.approx(time.time() - 60, abs=10)


def test_the_offset_is_taken_at_half_the_round_trip() -> None:
    steady = iter([0.0, 0.2, 0.2])
    clock = Clock(wall=lambda: 1000.0, steady=lambda: next(steady))

    clock.sync(lambda: 1_000_600)

    assert clock.offset_ms == 500


def test_a_fresh_offset_is_not_stale() -> None:
    clock = Clock()

    clock.sync(lambda: 0)

    assert (clock.is_stale, clock.is_synced) == (False, True)


def test_an_offset_grows_stale() -> None:
    moments = [0.0]
    clock = Clock(steady=lambda: moments[0])
    clock.sync(lambda: 0)

    moments[0] = 601.0

    assert clock.is_stale
