"""The library's traps that would cost money or nights, each kept shut.

Those about placing, lost replies and the clock stand with their subjects; the socket's in
`test_user_stream`.
"""

from __future__ import annotations

import asyncio
import threading

import pytest
from binance.client import Client

from exchanges.domain.orders import OrderRequest
from exchanges.venues.binance import client
from exchanges.venues.binance.client import VenueClient
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from exchanges.venues.shared.timeouts import Patience
from tests.fakes.scripted_venue import ScriptedVenue

PATIENCE = Patience(recv_window_ms=5000, timeout_seconds=1.0)


def build_client(url: str = "http://127.0.0.1:9") -> VenueClient:
    return client.build(rest_url=url, api_key="k", api_secret="s")


def test_building_a_gateway_sends_nothing(make_gateway, venue: ScriptedVenue) -> None:
    make_gateway()

    assert venue.seen == []


def test_the_librarys_own_client_would_leave_a_loop_behind() -> None:
    """Keep the reason for `venue_client.build` honest: drop that when this fails."""
    left: list[asyncio.AbstractEventLoop] = []

    def build() -> None:
        Client("k", "s", ping=False)
        left.append(asyncio.get_event_loop_policy().get_event_loop())

    thread = threading.Thread(target=build)
    thread.start()
    thread.join()

    assert not left[0].is_closed()
    left[0].close()


def test_building_leaves_no_event_loop_in_a_worker_thread() -> None:
    outcome: list[str] = []

    def build() -> None:
        build_client()
        try:
            asyncio.get_event_loop_policy().get_event_loop()
        except RuntimeError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=build)
    thread.start()
    thread.join()

    assert "no current event loop" in outcome[0]


async def test_building_leaves_a_running_loop_alone() -> None:
    loop = asyncio.get_running_loop()

    build_client()

    assert asyncio.get_running_loop() is loop


def test_a_failed_build_is_told_in_the_callers_thread() -> None:
    with pytest.raises(AttributeError):
        build_client(None)  # type: ignore[arg-type]


def test_no_proxy_variable_is_heeded(venue: ScriptedVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    build_client(venue.url).call("get", "ping", {}, patience=PATIENCE, signed=False)

    assert len(venue.calls("ping")) == 1


def test_a_rest_url_may_end_in_api_or_not(venue: ScriptedVenue) -> None:
    for url in (venue.url, venue.url + "/", venue.url + "/api"):
        build_client(url).call("get", "ping", {}, patience=PATIENCE, signed=False)

    assert len(venue.calls("ping")) == 3


def test_no_broker_id_is_put_before_ours(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next()

    gateway.place_order(market_buy)

    assert "x-HNA2TXFJ" not in venue.calls("order")[0].form


def test_each_reply_is_read_from_its_own_call_when_threads_share_nothing(
    make_gateway, venue: ScriptedVenue
) -> None:
    """`client.response` is one shared attribute: nothing of ours reads it."""
    gateway = make_gateway()
    gateway._client.response = None
    venue.answer_next({"symbol": "BTCUSDT", "price": "1"}, headers={"X-MBX-USED-WEIGHT-1M": "77"})

    gateway.last_price("BTCUSDT")

    assert gateway.budget._used("weight", gateway.clock.now_ms()) == 77


def test_parameters_with_python_truth_values_are_never_sent(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next({"canTrade": True, "balances": []})

    gateway.account()

    assert "True" not in venue.calls("account")[0].query
