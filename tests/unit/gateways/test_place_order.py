"""What leaves when an order is placed, and what comes back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderRequest, OrderType, TimeInForce, VenueStatus
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from tests.fakes.scripted_venue import API_KEY, ScriptedVenue


def test_a_market_order_goes_out_once_and_its_fills_come_back(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next()

    report = gateway.place_order(market_buy)

    (sent,) = venue.calls("order")
    assert sent.params["newClientOrderId"] == "entry-1"
    assert sent.params["quantity"] == "0.10"
    assert sent.params["newOrderRespType"] == "FULL"
    assert sent.headers["X-MBX-APIKEY"] == API_KEY
    assert sent.is_signed_rightly
    assert report.status is VenueStatus.FILLED
    assert report.fills[0].price == Decimal("45001.00000000")
    assert report.fills[0].trade_id == "56"


def test_the_average_price_never_comes_from_the_price_field(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next()

    report = gateway.place_order(market_buy)

    assert report.price is None
    assert report.executed_quote == Decimal("4500.10000000")


def test_our_receive_window_is_sent_and_not_the_librarys(
    make_gateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next()

    make_gateway(recv_window_ms=3000).place_order(market_buy)

    assert venue.calls("order")[0].params["recvWindow"] == "3000"


def test_tiny_figures_leave_without_an_exponent(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next()

    gateway.place_order(replace(market_buy, quantity=Decimal("1E-7")))

    assert venue.calls("order")[0].params["quantity"] == "0.0000001"


def test_a_float_is_refused_before_anything_is_sent(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    with pytest.raises(errors.Rejected, match="not Decimal"):
        gateway.place_order(replace(market_buy, quantity=0.00001))  # type: ignore[arg-type]

    assert not venue.calls("order")


@pytest.mark.parametrize("client_id", ["a:b", "a b", "a/b", "ä", "", "x" * 37])
def test_an_id_that_would_break_the_signature_is_refused_before_anything_is_sent(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest, client_id: str
) -> None:
    with pytest.raises(errors.Rejected, match="client id"):
        gateway.place_order(replace(market_buy, client_order_id=client_id))

    assert not venue.calls("order")


def test_a_symbol_of_foreign_letters_is_signed_as_it_is_sent(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next(symbol="１２３４５６")

    gateway.place_order(replace(market_buy, symbol="１２３４５６"))

    assert venue.calls("order")[0].is_signed_rightly


def test_stop_types_ask_for_a_result_since_they_answer_a_bare_ack_otherwise(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next(status="NEW", type="STOP_LOSS_LIMIT", fills=[], executedQty="0.00")

    gateway.place_order(
        replace(
            market_buy,
            type=OrderType.STOP_LIMIT,
            price=Decimal(46000),
            stop_price=Decimal("45900.50"),
        )
    )

    sent = venue.calls("order")[0].params
    assert sent["type"] == "STOP_LOSS_LIMIT"
    assert sent["newOrderRespType"] == "RESULT"
    assert sent["timeInForce"] == "GTC"
    assert (sent["price"], sent["stopPrice"]) == ("46000", "45900.50")


def test_a_limit_order_keeps_its_time_in_force(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next()

    gateway.place_order(
        replace(
            market_buy,
            type=OrderType.LIMIT,
            price=Decimal(45000),
            time_in_force=TimeInForce.IOC,
        )
    )

    assert venue.calls("order")[0].params["timeInForce"] == "IOC"


def test_an_order_by_quote_quantity_sends_no_base_quantity(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next()

    gateway.place_order(replace(market_buy, quantity=None, quote_quantity=Decimal(100)))

    sent = venue.calls("order")[0].params
    assert sent["quoteOrderQty"] == "100"
    assert "quantity" not in sent


def test_an_acknowledgement_without_status_tells_no_status(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.answer_next(
        {
            "symbol": "BTCUSDT",
            "orderId": 9,
            "orderListId": -1,
            "clientOrderId": "entry-1",
            "transactTime": 1795262400123,
        }
    )

    report = gateway.place_order(market_buy)

    assert report.status is None
    assert report.executed_quantity is None
    assert report.venue_order_id == "9"


def test_an_expired_order_keeps_its_fills_and_the_reason(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next(status="EXPIRED", expiryReason="INSUFFICIENT_LIQUIDITY", origQty="0.50000000")

    report = gateway.place_order(market_buy)

    assert report.status is VenueStatus.EXPIRED
    assert report.reason == "INSUFFICIENT_LIQUIDITY"
    assert report.executed_quantity == Decimal("0.1")


def test_an_order_stopped_by_self_trade_prevention_is_expired(
    gateway: BinanceSpotGateway, venue: ScriptedVenue, market_buy: OrderRequest
) -> None:
    venue.fill_next(status="EXPIRED_IN_MATCH")

    report = gateway.place_order(market_buy)

    assert report.status is VenueStatus.EXPIRED
    assert report.reason == "EXPIRED_IN_MATCH"
