from __future__ import annotations

import pytest

from exchanges.matching import ExpiryReason, NewOrder, OrderType, PriceRange, Side, TimeInForce
from tests.unit.matching.venue import (
    BTC,
    D,
    Venue,
    entry,
    maker,
    order,
    refused,
    stop_limit,
    stop_loss,
    with_filter,
)

FILTERS = [
    ("PRICE_FILTER", order(Side.BUY, 1, "90.001")),
    ("PRICE_FILTER", order(Side.BUY, "0.1", "100000.01")),
    ("PRICE_FILTER", stop_limit(Side.SELL, 1, "90.005", 90)),
    ("PERCENT_PRICE_BY_SIDE", order(Side.BUY, 1, "19.99")),
    ("PERCENT_PRICE_BY_SIDE", order(Side.SELL, 1, "500.01")),
    ("LOT_SIZE", order(Side.BUY, "0.0005", 90)),
    ("LOT_SIZE", order(Side.BUY, "1.0005", 90)),
    ("LOT_SIZE", order(Side.BUY, 101, 90)),
    ("MARKET_LOT_SIZE", order(Side.SELL, 51)),
    ("NOTIONAL", order(Side.BUY, "0.05", 90)),
    ("NOTIONAL", order(Side.SELL, "0.049")),
    ("NOTIONAL", order(Side.SELL, quote_quantity="4.99")),
    ("ICEBERG_PARTS", order(Side.BUY, 11, 90, iceberg_quantity=1)),
    ("LOT_SIZE", order(Side.BUY, 11, 90, iceberg_quantity="1.0001")),
]


@pytest.mark.parametrize(("name", "request_"), FILTERS)
def test_a_broken_filter_is_named(name, request_):
    venue = Venue()
    before = venue.engine.snapshot()
    with refused(-1013, f"Filter failure: {name}"):
        venue.place(request_)
    with refused(-1013, f"Filter failure: {name}"):
        venue.engine.test("a", request_, venue.now)
    assert venue.engine.snapshot() == before


def test_figures_on_the_edge_pass():
    venue = Venue()
    assert venue.buy("0.25", 20).order.status == "NEW"
    assert venue.sell("0.01", 500).order.status == "NEW"
    assert venue.sell("0.05").order.status == "FILLED"


def test_a_market_step_of_zero_is_no_step():
    assert Venue().sell("1.001").order.status == "FILLED"


def test_market_notional_uses_the_average_price():
    venue = Venue()
    venue.prints(60, 9)  # average (100 + 540) / 10 = 64
    with refused(-1013, "Filter failure: NOTIONAL"):
        venue.sell("0.078")
    assert venue.sell("0.079").order.status == "FILLED"


def test_the_average_forgets_old_minutes():
    venue = Venue()
    venue.later(5 * 60_000)
    venue.prints(60, 1)
    with refused(-1013, "NOTIONAL"):
        venue.sell("0.083")


def test_a_reference_price_goes_before_the_average():
    venue = Venue()
    venue.engine.set_reference_price(BTC, D(10))
    with refused(-1013, "PERCENT_PRICE_BY_SIDE"):
        venue.buy(1, 51)


def test_the_older_notional_form_works():
    found = with_filter(entry(), "NOTIONAL")
    found["filters"] = [f for f in found["filters"] if f["filterType"] != "NOTIONAL"]
    venue = Venue(
        with_filter(found, "MIN_NOTIONAL", minNotional="10", applyToMarket=False, avgPriceMins=0)
    )
    with refused(-1013, "Filter failure: MIN_NOTIONAL"):
        venue.buy("0.1", 99)
    assert venue.sell("0.05").order.status == "FILLED"


def test_percent_price_without_sides_works():
    found = entry()
    found["filters"] = [f for f in found["filters"] if "PERCENT" not in f["filterType"]]
    venue = Venue(
        with_filter(
            found, "PERCENT_PRICE", multiplierUp="1.1", multiplierDown="0.9", avgPriceMins=0
        )
    )
    with refused(-1013, "Filter failure: PERCENT_PRICE"):
        venue.buy(1, "89.99")


def test_max_position_counts_what_is_held_and_what_is_coming():
    venue = Venue(with_filter(entry(), "MAX_POSITION", maxPosition="103"))
    venue.buy(2, 90)
    with refused(-1013, "Filter failure: MAX_POSITION"):
        venue.buy("1.001", 90)
    assert venue.buy(1, 90).order.status == "NEW"
    assert venue.sell(1, 120).order.status == "NEW"


def test_max_num_orders_counts_everything_open():
    venue = Venue(with_filter(entry(), "MAX_NUM_ORDERS", maxNumOrders=2))
    venue.buy(1, 90)
    venue.place(stop_loss(Side.SELL, 1, 90))
    with refused(-1013, "Filter failure: MAX_NUM_ORDERS"):
        venue.buy(1, 90)


def test_exchange_wide_limits_hold_over_all_symbols():
    venue = Venue()
    venue.engine.set_exchange_filters(
        [{"filterType": "EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders": 1}]
    )
    venue.buy(1, 90)
    with refused(-1013, "Filter failure: EXCHANGE_MAX_NUM_ORDERS"):
        venue.buy(1, 90)


def raw(type_: OrderType, **fields) -> NewOrder:
    return NewOrder(BTC, Side.BUY, type_, **fields)


GTC = TimeInForce.GTC
ONE, NINETY = D(1), D(90)
PARAMETERS = [
    (raw(OrderType.LIMIT, quantity=ONE, price=NINETY), -1102, "'timeInForce'"),
    (raw(OrderType.LIMIT, quantity=ONE, time_in_force=GTC), -1102, "'price'"),
    (raw(OrderType.LIMIT, price=NINETY, time_in_force=GTC), -1102, "'quantity'"),
    (raw(OrderType.MARKET), -1102, "Param 'quantity' or 'quoteOrderQty' must be sent"),
    (raw(OrderType.MARKET, quantity=ONE, quote_quantity=NINETY), -1128, "Combination"),
    (raw(OrderType.MARKET, quantity=ONE, price=NINETY), -1106, "'price' sent when not required"),
    (raw(OrderType.MARKET, quantity=ONE, time_in_force=GTC), -1106, "'timeInForce'"),
    (raw(OrderType.LIMIT_MAKER, quantity=ONE, price=NINETY, time_in_force=GTC), -1106, "timeIn"),
    (raw(OrderType.STOP_LOSS, quantity=ONE), -1102, "Param 'stopPrice' or 'trailingDelta'"),
    (raw(OrderType.STOP_LOSS, quantity=ONE, stop_price=D(110), price=NINETY), -1106, "'price'"),
    (
        raw(OrderType.TAKE_PROFIT_LIMIT, quantity=ONE, price=NINETY, stop_price=NINETY),
        -1102,
        "'timeInForce'",
    ),
    (
        raw(OrderType.LIMIT, quantity=ONE, price=NINETY, time_in_force=GTC, stop_price=NINETY),
        -1106,
        "'stopPrice'",
    ),
    (order(Side.BUY, "1.000000001", 90), -1111, "Parameter 'quantity' has too much precision."),
    (order(Side.BUY, 1, "90.000000001"), -1111, "'price'"),
    (order(Side.BUY, quote_quantity="90.123456789"), -1111, "'quoteOrderQty'"),
    (order(Side.BUY, 0, 90), -1013, "Invalid quantity."),
    (order(Side.BUY, 1, "-3"), -1013, "Invalid price."),
    (order(Side.BUY, "NaN", 90), -1013, "Invalid quantity."),
    (order(Side.BUY, 1, 90, client_order_id="has space"), -1100, "'newClientOrderId'"),
    (order(Side.BUY, 1, 90, client_order_id="x" * 37), -1100, "legal range"),
    (order(Side.BUY, 1, 90, client_order_id=""), -1100, "'newClientOrderId'"),
    (order(Side.BUY, 1, 90, strategy_type=999_999), -1134, "strategyType"),
    (order(Side.BUY, 1, 90, iceberg_quantity=2), -2010, "IcebergQty exceeds QTY."),
    (order(Side.BUY, 2, iceberg_quantity=1), -1106, "'icebergQty'"),
    (order(Side.BUY, 1, 90, self_trade_prevention="DECREMENT"), -1013, "self-trade"),
]


@pytest.mark.parametrize(("request_", "code", "words"), PARAMETERS)
def test_parameter_rules_of_each_type(request_, code, words):
    venue = Venue()
    with refused(code, words):
        venue.place(request_)


def test_trailing_zeros_are_not_precision():
    assert Venue().buy("1.0000000000", 90).order.status == "NEW"


def test_an_unknown_symbol_is_refused_everywhere():
    venue = Venue()
    with refused(-1121, "Invalid symbol."):
        venue.place(NewOrder("NOPE", Side.BUY, OrderType.MARKET, quantity=ONE))
    with refused(-1121, "Invalid symbol."):
        venue.engine.open_orders("a", "NOPE")


def test_an_account_may_be_barred():
    venue = Venue()
    venue.engine.set_rates("a", can_trade=False)
    with refused(-2010, "This account may not place or cancel orders."):
        venue.place(maker(Side.BUY, 1, 90))


def test_the_price_range_rule_stops_a_taker_midway():
    venue = Venue()
    venue.engine.set_reference_price(BTC, D(100))
    venue.engine.set_price_range(BTC, PriceRange((D("0.98"), D("1.02")), (D("0.98"), D("1.02"))))
    placed = venue.buy(6)
    assert (placed.order.status, placed.order.executed_quantity) == ("EXPIRED", 3)
    assert placed.order.expiry_reason is ExpiryReason.EXECUTION_RULE_PRICE_RANGE_EXCEEDED
    limit = venue.sell(5, 97)
    assert (limit.order.status, limit.order.executed_quantity) == ("EXPIRED", 3)
