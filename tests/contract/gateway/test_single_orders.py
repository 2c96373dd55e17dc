"""What every gateway does with one order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderType, Side, TimeInForce, VenueStatus
from exchanges.venues.base import ExchangeGateway
from tests.contract.gateway.conftest import MakeOrder
from tests.contract.gateway.worlds import World, balance, eventually

BUY, SELL = Side.BUY, Side.SELL


def test_a_market_order_fills_at_once_near_the_quote(
    gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    ask = gateway.quote("BTCUSDT").ask

    report = gateway.place_order(make_order(BUY, OrderType.MARKET, "0.01"))

    assert report.status is VenueStatus.FILLED
    assert report.executed_quantity == sum(f.quantity for f in report.fills) == Decimal("0.01")
    assert report.executed_quote == sum(f.quote_quantity for f in report.fills)
    assert abs(report.fills[0].price - ask) / ask < Decimal("0.01")
    assert not any(fill.is_maker for fill in report.fills)


def test_a_buyer_receives_its_quantity_less_the_fee(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    report = gateway.place_order(make_order(BUY, OrderType.MARKET, "0.01"))

    fee = sum(fill.commission for fill in report.fills)
    assert {fill.commission_asset for fill in report.fills} == {"BTC"}
    assert fee > 0
    assert balance(world, "BTC").free == Decimal("0.01") - fee


def test_a_seller_pays_its_fee_in_quote(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    world.give_bitcoin("1")

    report = gateway.place_order(make_order(SELL, OrderType.MARKET, "0.01"))

    assert {fill.commission_asset for fill in report.fills} == {"USDT"}


def test_an_order_by_quote_quantity_spends_no_more_than_that(
    gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    report = gateway.place_order(make_order(BUY, OrderType.MARKET, None, quote_quantity="100"))

    assert report.executed_quote is not None
    assert Decimal(98) < report.executed_quote <= Decimal(100)


def test_a_limit_order_away_from_the_market_rests_and_locks_its_funds(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    order = make_order(BUY, OrderType.LIMIT, price="40000")

    report = gateway.place_order(order)

    assert report.status is VenueStatus.OPEN
    assert report.executed_quantity == 0
    assert [o.client_order_id for o in gateway.open_orders("BTCUSDT")] == [order.client_order_id]
    assert [o.client_order_id for o in gateway.open_orders()] == [order.client_order_id]
    assert balance(world, "USDT").locked == Decimal(400)


def test_a_resting_order_fills_when_the_market_comes(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    order = make_order(BUY, OrderType.LIMIT, price="49000")
    gateway.place_order(order)

    world.move("48900")
    eventually(
        lambda: gateway.query_order("BTCUSDT", order.client_order_id).status is VenueStatus.FILLED
    )

    placed = gateway.query_order("BTCUSDT", order.client_order_id)
    (fill,) = gateway.trades("BTCUSDT", venue_order_id=placed.venue_order_id)
    assert (fill.price, fill.quantity, fill.is_maker) == (Decimal(49000), Decimal("0.01"), True)


def test_a_limit_order_through_the_market_takes_it(
    gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    ask = gateway.quote("BTCUSDT").ask

    report = gateway.place_order(make_order(BUY, OrderType.LIMIT, price="50500"))

    assert report.status is VenueStatus.FILLED
    assert report.fills[0].price <= ask + 1


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_cannot_fill_at_once_expires_when_it_must(
    gateway: ExchangeGateway, make_order: MakeOrder, time_in_force: TimeInForce
) -> None:
    order = make_order(BUY, OrderType.LIMIT, price="40000", time_in_force=time_in_force)

    report = gateway.place_order(order)

    assert report.status is VenueStatus.EXPIRED
    assert report.fills == ()
    assert gateway.open_orders("BTCUSDT") == []


def test_a_maker_order_that_would_take_is_rejected(
    gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    with pytest.raises(errors.Rejected, match="immediately match") as caught:
        gateway.place_order(make_order(BUY, OrderType.LIMIT_MAKER, price="51000"))

    assert caught.value.code == -2010


@pytest.mark.parametrize(
    ("type_", "more"),
    [
        (OrderType.STOP, {"stop_price": "51000"}),
        (OrderType.STOP_LIMIT, {"stop_price": "51000", "price": "50900"}),
        (OrderType.TAKE_PROFIT, {"stop_price": "49000"}),
        (OrderType.TAKE_PROFIT_LIMIT, {"stop_price": "49000", "price": "48900"}),
    ],
)
def test_a_trigger_on_the_wrong_side_of_the_market_is_rejected(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder, type_: OrderType, more
) -> None:
    world.give_bitcoin("1")

    with pytest.raises(errors.Rejected, match="trigger immediately"):
        gateway.place_order(make_order(SELL, type_, **more))


@pytest.mark.parametrize(
    ("type_", "more", "to"),
    [
        (OrderType.STOP, {"stop_price": "49000"}, "48900"),
        (OrderType.STOP_LIMIT, {"stop_price": "49000", "price": "48000"}, "48900"),
        (OrderType.TAKE_PROFIT, {"stop_price": "51000"}, "51100"),
        (OrderType.TAKE_PROFIT_LIMIT, {"stop_price": "51000", "price": "50000"}, "51100"),
    ],
)
def test_a_trigger_fires_when_the_market_gets_there(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder, type_: OrderType, more, to: str
) -> None:
    world.give_bitcoin("1")
    order = make_order(SELL, type_, **more)
    placed = gateway.place_order(order)
    assert placed.status is VenueStatus.OPEN
    assert placed.stop_price == Decimal(more["stop_price"])

    world.move(to)

    eventually(
        lambda: gateway.query_order("BTCUSDT", order.client_order_id).status is VenueStatus.FILLED
    )


def test_a_cancel_ends_the_order_under_its_own_id_and_frees_its_funds(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    order = make_order(BUY, OrderType.LIMIT, price="40000")
    gateway.place_order(order)

    report = gateway.cancel_order("BTCUSDT", order.client_order_id)

    assert report.status is VenueStatus.CANCELED
    assert report.client_order_id == order.client_order_id
    assert gateway.open_orders("BTCUSDT") == []
    assert balance(world, "USDT").locked == 0
    again = gateway.query_order("BTCUSDT", order.client_order_id)
    assert (again.status, again.client_order_id) == (VenueStatus.CANCELED, order.client_order_id)


def test_canceling_what_is_filled_or_unknown_is_rejected(
    gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    filled = make_order(BUY, OrderType.MARKET)
    gateway.place_order(filled)

    for client_order_id in (filled.client_order_id, "never-placed"):
        with pytest.raises(errors.Rejected) as caught:
            gateway.cancel_order("BTCUSDT", client_order_id)
        assert caught.value.code == -2011


def test_an_unknown_order_is_not_found(gateway: ExchangeGateway) -> None:
    with pytest.raises(errors.OrderNotFound):
        gateway.query_order("BTCUSDT", "never-placed")


def test_a_client_id_is_taken_only_while_its_order_is_open(
    gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    order = make_order(BUY, OrderType.LIMIT, price="40000", client_order_id="same")
    gateway.place_order(order)
    with pytest.raises(errors.Rejected, match="Duplicate"):
        gateway.place_order(order)
    gateway.cancel_order("BTCUSDT", "same")

    assert gateway.place_order(order).status is VenueStatus.OPEN


def test_an_order_beyond_the_funds_is_rejected(
    gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    with pytest.raises(errors.Rejected, match="insufficient balance") as caught:
        gateway.place_order(make_order(SELL, OrderType.MARKET, "0.01"))

    assert caught.value.code == -2010


@pytest.mark.parametrize(
    ("quantity", "price", "filter_name"),
    [("0.01", "40000.001", "PRICE_FILTER"), ("0.0000011", "40000", "LOT_SIZE")],
)
def test_figures_off_the_grid_are_rejected(
    gateway: ExchangeGateway,
    make_order: MakeOrder,
    quantity: str,
    price: str,
    filter_name: str,
) -> None:
    with pytest.raises(errors.Rejected, match=filter_name) as caught:
        gateway.place_order(make_order(BUY, OrderType.LIMIT, quantity, price=price))

    assert caught.value.code == -1013


def test_too_small_a_notional_is_rejected(gateway: ExchangeGateway, make_order: MakeOrder) -> None:
    with pytest.raises(errors.Rejected, match="NOTIONAL"):
        gateway.place_order(make_order(BUY, OrderType.LIMIT, "0.0001", price="40000"))


def test_an_unknown_symbol_is_rejected(gateway: ExchangeGateway, make_order: MakeOrder) -> None:
    order = replace(make_order(BUY, OrderType.MARKET), symbol="NOPEUSDT")

    with pytest.raises(errors.Rejected) as caught:
        gateway.place_order(order)

    assert caught.value.code == -1121


def test_trades_of_an_order_carry_the_numbers_its_reply_gave(
    gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    first = gateway.place_order(make_order(BUY, OrderType.MARKET, "0.01"))
    second = gateway.place_order(make_order(BUY, OrderType.MARKET, "0.02"))

    told = gateway.trades("BTCUSDT", venue_order_id=second.venue_order_id)

    assert [f.trade_id for f in told] == [f.trade_id for f in second.fills]
    assert [f.commission for f in told] == [f.commission for f in second.fills]
    since = gateway.trades("BTCUSDT", from_trade_id=second.fills[0].trade_id)
    assert [f.trade_id for f in since] == [f.trade_id for f in second.fills]
    everything = {f.trade_id for f in gateway.trades("BTCUSDT")}
    assert everything >= {f.trade_id for f in (*first.fills, *second.fills)}
