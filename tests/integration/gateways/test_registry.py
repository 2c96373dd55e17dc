"""Which gateway speaks for which venue."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings
from structlog.testing import capture_logs

from exchanges.domain import errors
from exchanges.domain.venues import venue as venue_of
from exchanges.models import VenueAccount
from exchanges.venues import registry
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from tests.fakes.exchange import FakeExchange
from tests.fakes.scripted_venue import API_KEY, API_SECRET, ScriptedVenue
from tests.places import DEMO, MAINNET, SIMULATOR, TESTNET, USDM


@pytest.fixture
def venue(settings: Settings) -> Iterator[ScriptedVenue]:
    with ScriptedVenue() as venue:
        settings.SIMULATOR_REST_URL = settings.BINANCE_SPOT_REST_URL = venue.url
        settings.SIMULATOR_API_KEY = settings.BINANCE_API_KEY = API_KEY
        settings.SIMULATOR_API_SECRET = settings.BINANCE_API_SECRET = API_SECRET
        settings.MAINNET_TRADING_ENABLED = False
        yield venue


def in_a_thread(work):
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def spot(environment: str) -> BinanceSpotGateway:
    gateway = registry.for_venue(venue_of(environment))
    assert isinstance(gateway, BinanceSpotGateway)
    return gateway


def test_a_thread_keeps_its_gateway(venue: ScriptedVenue) -> None:
    assert spot("testnet") is spot("testnet")


def test_threads_do_not_share_a_gateway_but_its_budget_and_clock(venue: ScriptedVenue) -> None:
    other = in_a_thread(lambda: spot("testnet"))

    assert other is not spot("testnet")
    assert other.budget is spot("testnet").budget
    assert other.clock is spot("testnet").clock


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_worker_opens_its_own(venue: ScriptedVenue) -> None:
    parent = spot("testnet")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            mine = spot("testnet")
            alike = mine is parent or mine.budget is parent.budget or mine.clock is parent.clock
            mine.ping()
            os.write(write, b"shared" if alike else b"own")
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert os.read(read, 10) == b"own"


@pytest.mark.parametrize("environment", ["simulator", "testnet", "demo", "mainnet"])
def test_every_environment_has_a_spot_gateway(venue: ScriptedVenue, environment: str) -> None:
    gateway = spot(environment)
    gateway.ping()

    assert gateway.venue == venue_of(environment)
    assert len(venue.calls("ping")) == 1


def test_without_an_override_each_environment_has_its_own_host(settings: Settings) -> None:
    settings.BINANCE_SPOT_REST_URL = settings.BINANCE_SPOT_WS_URL = ""

    found = [registry.access_to(place) for place in (TESTNET, DEMO, MAINNET)]

    assert [access.rest_url for access in found] == [
        "https://testnet.binance.vision",
        "https://demo-api.binance.com",
        "https://api.binance.com",
    ]
    assert found[0].ws_api_url == "wss://ws-api.testnet.binance.vision/ws-api/v3"


def test_the_simulator_is_never_reached_by_the_real_venues_override(
    settings: Settings,
) -> None:
    settings.SIMULATOR_REST_URL = "http://127.0.0.1:1"
    settings.BINANCE_SPOT_REST_URL = "http://127.0.0.1:2"

    assert registry.access_to(SIMULATOR).rest_url == "http://127.0.0.1:1"
    assert registry.access_to(MAINNET).rest_url == "http://127.0.0.1:2"


def test_a_venue_nobody_speaks_to_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"binance\.usdm\.mainnet"):
        registry.for_venue(USDM)


def test_an_account_has_its_own_keys(venue: ScriptedVenue, settings: Settings) -> None:
    settings.BINANCE_CREDENTIALS = {"DESK2": ("key-of-desk-2", "secret-of-desk-2")}
    first, second = (
        VenueAccount(**TESTNET.columns(), label=name, credentials=name) for name in ("", "DESK2")
    )

    for account in (first, second):
        venue.answer_next({"canTrade": True, "balances": []})
        registry.for_account(account).account()

    sent = [call.headers["X-MBX-APIKEY"] for call in venue.calls("account")]
    assert sent == [API_KEY, "key-of-desk-2"]


def test_the_simulator_has_one_account() -> None:
    account = VenueAccount(**SIMULATOR.columns(), credentials="DESK2")
    with pytest.raises(ImproperlyConfigured, match="same wallet once more"):
        registry.for_account(account)


def test_keys_that_are_not_configured_are_asked_for_by_name(settings: Settings) -> None:
    account = VenueAccount(**TESTNET.columns(), credentials="DESK9")
    with pytest.raises(ImproperlyConfigured, match="BINANCE_API_KEY_DESK9"):
        registry.for_account(account)


def test_mainnet_is_locked_until_its_setting_says_otherwise(
    venue: ScriptedVenue, settings: Settings
) -> None:
    gateway = registry.for_venue(MAINNET)
    with pytest.raises(errors.Rejected, match="MAINNET_TRADING_ENABLED"):
        gateway.cancel_order("BTCUSDT", "entry-1")

    settings.MAINNET_TRADING_ENABLED = True
    venue.fill_next(origClientOrderId="entry-1", status="CANCELED")

    assert gateway.cancel_order("BTCUSDT", "entry-1").symbol == "BTCUSDT"


def test_a_stand_in_speaks_for_a_venue_while_the_block_runs(venue: ScriptedVenue) -> None:
    fake = FakeExchange()

    with registry.standing_in(TESTNET, fake):
        assert registry.for_venue(TESTNET) is fake
        assert in_a_thread(lambda: registry.for_venue(TESTNET)) is fake

    assert registry.for_venue(TESTNET) is not fake


def test_changed_settings_mean_another_gateway(venue: ScriptedVenue, settings: Settings) -> None:
    first = spot("testnet")
    settings.BINANCE_API_KEY = "another-key"

    second = spot("testnet")

    assert second is not first
    assert second.budget.name != first.budget.name


def test_an_access_never_shows_its_secret(venue: ScriptedVenue) -> None:
    shown = repr(registry.access_to(TESTNET))

    assert API_SECRET not in shown
    assert API_KEY not in shown


def test_warming_sets_the_clock_before_the_first_order(venue: ScriptedVenue) -> None:
    registry.warm(TESTNET)

    assert spot("testnet").clock.is_synced
    assert len(venue.calls("time")) == 1


def test_warming_beside_a_start_sets_the_clock_too(venue: ScriptedVenue) -> None:
    registry.warm_soon(TESTNET).join(60)

    assert spot("testnet").clock.is_synced


def test_a_start_waits_for_no_venue(venue: ScriptedVenue) -> None:
    venue.clock_stall_seconds = 3.0
    started = time.monotonic()

    thread = registry.warm_soon(TESTNET)

    assert time.monotonic() - started < 2
    thread.join(60)
    assert time.monotonic() - started >= 3.0


@pytest.mark.parametrize("fault", ["nobody there", "no such venue"])
def test_a_venue_that_cannot_be_warmed_is_only_logged(settings: Settings, fault: str) -> None:
    settings.BINANCE_SPOT_REST_URL = "http://127.0.0.1:1"

    with capture_logs() as told:
        thread = registry.warm_soon(TESTNET if fault == "nobody there" else USDM)
        thread.join(60)

    assert "gateway_not_warmed" in [line["event"] for line in told]
