"""What is subscribed: the kinds that are asked for, under the names of the venue."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from exchanges.market_data import selection
from exchanges.market_data.selection import Selection
from petrosa_site import env


def test_each_symbol_has_its_kinds_and_intervals():
    selected = Selection(("bookTicker", "kline"), ("1m", "1h"))
    assert selected.names(["BTCUSDT"]) == [
        "btcusdt@bookTicker",
        "btcusdt@kline_1m",
        "btcusdt@kline_1h",
    ]


def test_the_first_choice_has_no_diffs():
    assert "btcusdt@depth@100ms" not in Selection().names(["BTCUSDT"])
    assert len(Selection().names(["BTCUSDT"])) == 10


def test_mark_prices_are_for_futures():
    selected = Selection(("markPrice",))
    assert selected.names(["BTCUSDT"]) == []
    assert selected.names(["BTCUSDT"], "usdm") == ["btcusdt@markPrice@1s"]


@pytest.mark.parametrize("given", [{"kinds": ("depth",)}, {"intervals": ("7m",)}, {"kinds": ()}])
def test_what_nobody_offers_is_refused(given):
    with pytest.raises(ValueError, match="use "):
        Selection(**given)


def test_the_variable_that_is_wrong_is_named():
    with pytest.raises(ImproperlyConfigured, match=r"MARKET_STREAMS.*'trades'"):
        env.selected(["trades"], ["1m"])


def test_without_variables_it_is_the_first_choice(settings):
    assert Selection() == settings.MARKET_SELECTION


@pytest.mark.parametrize(
    ("markets", "environment", "said"),
    [
        (["spot", "usdm"], "simulator", "simulator is a spot venue"),
        (["usdm"], "mainnet", "needs spot"),
        (["spot", "coinm"], "mainnet", "coinm"),
    ],
)
def test_markets_that_cannot_be_had_stop_the_boot(markets, environment, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        env.check_markets(markets, environment)


def test_futures_beside_spot_are_fine_at_binance():
    env.check_markets(["spot", "usdm"], "testnet")


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("btcusdt@bookTicker", "public"),
        ("btcusdt@depth@100ms", "public"),
        ("btcusdt@depth20@100ms", "public"),
        ("btcusdt@trade", "public"),
        ("btcusdt@aggTrade", "market"),
        ("btcusdt@kline_1m", "market"),
        ("btcusdt@ticker", "market"),
        ("btcusdt@markPrice@1s", "market"),
    ],
)
def test_futures_serve_two_sorts_of_streams(name, route):
    assert selection.route(name, "usdm") == route
    assert selection.route(name, "spot") == ""
