from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from exchanges.history import funding, store
from exchanges.management.commands.backfill import moment
from exchanges.models import Series
from exchanges.venues.binance import market_history
from tests.fakes.candles import START_MS, candles
from tests.places import MAINNET, USDM

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_this_venue(venue, settings):
    settings.BINANCE_SPOT_REST_URL = settings.BINANCE_USDM_REST_URL = venue.url
    market_history._threads.__dict__.clear()
    yield
    market_history._threads.__dict__.clear()


def backfill(**options: str) -> None:
    given = {"symbol": "BTCUSDT", "interval": "1m", "environment": "mainnet"} | options
    call_command("backfill", *(f"--{name}={value}" for name, value in given.items()))


def test_it_fetches_what_is_missing_and_says_so(venue, capsys):
    venue.has(candles(2500))

    backfill(**{"from": "2024-08-09", "to": "2024-08-10T17:40"})
    backfill(**{"from": "2024-08-09", "to": "2024-08-10T17:40"})

    told = capsys.readouterr().out
    assert "BTCUSDT 1m: 2500 new or changed" in told
    assert "BTCUSDT 1m: 0 new or changed" in told
    assert len(venue.pages) == 4  # the first asks whether there is such a symbol
    assert len(store.load(venue=MAINNET, symbol="BTCUSDT", interval="1m")) == 2500


def test_it_fetches_usdm_candles(venue):
    venue.has(candles(600))

    backfill(**{"market": "usdm", "from": "2024-08-09", "to": "2024-08-09T10:00"})

    found = store.load(venue=USDM, symbol="BTCUSDT", interval="1m")
    assert len(found) == 600


def test_it_fetches_funding_rates(venue):
    venue.fundings = [{"fundingTime": START_MS + 3, "fundingRate": "0.0001"}]

    backfill(**{"market": "usdm", "what": "funding", "from": "2024-08-09", "to": "2024-08-10"})

    assert len(funding.load(venue=USDM, symbol="BTCUSDT")) == 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"from": "yesterday"}, "--from 'yesterday' is no time"),
        ({"to": "2024-13-01"}, "--to '2024-13-01' is no time"),
        ({"from": "2024-02-01", "to": "2024-01-01"}, "is not before --to"),
        ({"interval": "7m"}, "--interval '7m' is none of 1s, 1m"),
        ({"symbol": ",,"}, "--symbol ',,' names none"),
        ({"interval": ", "}, "--interval ', ' names none of 1s"),
        ({"symbol": "BTC/USDT"}, "--symbol 'BTC/USDT' is no symbol"),
        ({"symbol": "NOSUCH"}, "--symbol NOSUCH: the venue does not list it"),
        ({"what": "funding"}, "--what funding: only --market usdm"),
    ],
)
def test_a_wrong_word_is_named(wrong, told):
    with pytest.raises(CommandError, match=told.replace("(", r"\(")):
        backfill(**({"from": "2024-08-09", "to": "2024-08-10"} | wrong))


@pytest.mark.parametrize("what", ["candles", "trades"])
def test_a_symbol_that_is_not_listed_leaves_no_series(what):
    with pytest.raises(CommandError, match="the venue does not list it"):
        backfill(**{"symbol": "NOSUCH", "what": what, "from": "2024-08-09", "to": "2024-08-10"})
    assert not Series.objects.exists()


def test_a_market_that_is_not_served_is_named(settings):
    settings.BINANCE_USDM_REST_URL = ""

    with pytest.raises(
        CommandError, match=r"--market usdm: No history of binance\.usdm\.simulator"
    ):
        backfill(environment="simulator", market="usdm")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-08-09", datetime(2024, 8, 9, tzinfo=UTC)),
        ("2024-08-09T12:30", datetime(2024, 8, 9, 12, 30, tzinfo=UTC)),
        ("2024-08-09T12:30+02:00", datetime(2024, 8, 9, 10, 30, tzinfo=UTC)),
        ("12h", datetime(2026, 11, 22, tzinfo=UTC)),
        ("1w", datetime(2026, 11, 15, 12, tzinfo=UTC)),
    ],
)
def test_times_are_read(text, at):
    assert moment("--from", text, NOW) == int(at.timestamp() * 1000)
