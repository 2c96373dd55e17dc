"""Reads: asked again within bounds, parsed, and honest about what was not found."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import VenueStatus
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from petrosa_site.stack.ports import free_port
from tests.fakes.instruments import spot_symbol_entry
from tests.fakes.scripted_venue import FILLED_ORDER, ScriptedVenue


def test_a_read_is_asked_again_after_a_bad_gateway(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, naps: list[float]
) -> None:
    venue.answer_next(b"<html>bad gateway</html>", status=502)
    venue.hang_up_next()
    venue.answer_next({"symbol": "BTCUSDT", "price": "45000.10"})

    assert gateway.last_price("BTCUSDT") == Decimal("45000.10")
    assert len(naps) == 2
    assert all(nap <= 1.0 for nap in naps)


def test_a_read_gives_up_after_three_tries(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    for _ in range(5):
        venue.answer_next(b"down", status=503)

    with pytest.raises(errors.NotSent):
        gateway.last_price("BTCUSDT")

    assert len(venue.calls("ticker/price")) == 3


def test_a_read_of_a_dead_venue_is_not_sent(make_gateway) -> None:
    gateway = make_gateway(rest_url=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(errors.NotSent):
        gateway.ping()


def test_a_read_is_not_repeated_when_the_venue_says_wait(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.refuse_next(429, -1003, "Too much request weight used.", {"Retry-After": "9"})

    with pytest.raises(errors.RateLimited) as caught:
        gateway.last_price("BTCUSDT")

    assert caught.value.retry_after == 9
    assert len(venue.calls("ticker/price")) == 1


def test_a_final_refusal_of_a_read_is_not_repeated(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.refuse_next(400, -1121, "Invalid symbol.")

    with pytest.raises(errors.Rejected):
        gateway.last_price("NOPE")

    assert len(venue.calls("ticker/price")) == 1


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"price":null}', b'{"price":"NaN?"}'])
def test_an_unreadable_answer_is_never_taken_for_a_price(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, body: bytes
) -> None:
    for _ in range(3):
        venue.answer_next(body)

    with pytest.raises(errors.NotSent):
        gateway.last_price("BTCUSDT")


def test_an_order_the_venue_does_not_know_is_not_found(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.refuse_next(400, -2013, "Order does not exist.")

    with pytest.raises(errors.OrderNotFound) as caught:
        gateway.query_order("BTCUSDT", "entry-1")

    assert caught.value.code == -2013


def test_a_canceled_order_is_told_under_the_id_it_was_placed_with(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next(FILLED_ORDER | {"status": "CANCELED", "clientOrderId": "cancel-77"})

    report = gateway.query_order("BTCUSDT", "entry-1")

    assert report.client_order_id == "entry-1"
    assert report.status is VenueStatus.CANCELED


def test_a_queried_order_with_unknown_quote_figure_says_none(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next(FILLED_ORDER | {"cummulativeQuoteQty": "-1.00000000", "fills": []})

    assert gateway.query_order("BTCUSDT", "entry-1").executed_quote is None


def test_a_quote_is_best_bid_and_ask(gateway: BinanceSpotGateway, venue: ScriptedVenue) -> None:
    venue.answer_next(
        {
            "symbol": "BTCUSDT",
            "bidPrice": "44999.99",
            "bidQty": "1.5",
            "askPrice": "45000.01",
            "askQty": "2",
        }
    )

    quote = gateway.quote("BTCUSDT")

    assert (quote.bid, quote.ask) == (Decimal("44999.99"), Decimal("45000.01"))
    assert quote.mid == Decimal(45000)
    assert quote.received_at.timestamp() == pytest.approx(time.time(), abs=30)


def test_an_account_tells_fractions_and_balances(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next(
        {
            "makerCommission": 15,
            "takerCommission": 15,
            "commissionRates": {"maker": "0.00150000", "taker": "0.00200000"},
            "canTrade": True,
            "balances": [{"asset": "USDT", "free": "10.5", "locked": "1"}],
        }
    )

    account = gateway.account()

    assert (account.maker_rate, account.taker_rate) == (Decimal("0.0015"), Decimal("0.002"))
    assert account.balances[0].free == Decimal("10.5")
    assert venue.calls("account")[0].params["omitZeroBalances"] == "true"


def test_an_account_without_rates_falls_back_on_the_older_fields(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next(
        {"makerCommission": 10, "takerCommission": 15, "canTrade": False, "balances": []}
    )

    account = gateway.account()

    assert (account.maker_rate, account.taker_rate) == (Decimal("0.001"), Decimal("0.0015"))
    assert not account.can_trade


def test_one_odd_listing_does_not_take_the_others_with_it(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next({"symbols": [{"symbol": "ODD"}, spot_symbol_entry("BTCUSDT")]})

    ((instrument, raw),) = gateway.instruments()

    assert instrument.symbol == "BTCUSDT"
    assert raw["status"] == "TRADING"


def test_trades_are_read_page_by_page(gateway: BinanceSpotGateway, venue: ScriptedVenue) -> None:
    venue.answer_next([trade_row(number) for number in range(1, 1001)])
    venue.answer_next([trade_row(1001)])

    fills = gateway.trades("BTCUSDT", venue_order_id="28", from_trade_id="1")

    assert [fill.trade_id for fill in fills] == [str(n) for n in range(1, 1002)]
    first, second = venue.calls("myTrades")
    assert (first.params["fromId"], second.params["fromId"]) == ("1", "1001")
    assert second.params["orderId"] == "28"


def test_a_trade_keeps_fee_and_role(gateway: BinanceSpotGateway, venue: ScriptedVenue) -> None:
    venue.answer_next([trade_row(7)])

    (fill,) = gateway.trades("BTCUSDT")

    assert (fill.commission, fill.commission_asset) == (Decimal("0.00000750"), "BNB")
    assert fill.is_maker
    assert fill.traded_at == datetime(2026, 11, 21, 12, 0, 0, 123000, tzinfo=UTC)


def trade_row(number: int) -> dict[str, object]:
    return {
        "symbol": "BTCUSDT",
        "id": number,
        "orderId": 28,
        "orderListId": -1,
        "price": "45000.00",
        "qty": "0.01",
        "quoteQty": "450.00",
        "commission": "0.00000750",
        "commissionAsset": "BNB",
        "time": 1795262400123,
        "isBuyer": True,
        "isMaker": True,
        "isBestMatch": True,
    }
