"""Which parameters each order type needs, takes and refuses; then how precise figures may be."""

from __future__ import annotations

import re
from decimal import Decimal

from exchanges.matching import refusals
from exchanges.matching.enums import TRIGGER_TYPES, OrderType, TimeInForce
from exchanges.matching.refusals import VenueRefusal
from exchanges.matching.requests import NewOrder
from exchanges.matching.rules import SymbolRules

CLIENT_ID = re.compile(r"[a-zA-Z0-9\-_]{1,36}")
CLIENT_ID_RANGE = "^[a-zA-Z0-9-_]{1,36}$"
LOWEST_STRATEGY_TYPE = 1_000_000

# Attribute of NewOrder -> the venue's word for it, in the order refusals are looked for.
WORDS = {
    "time_in_force": "timeInForce",
    "quantity": "quantity",
    "quote_quantity": "quoteOrderQty",
    "price": "price",
    "stop_price": "stopPrice",
    "trailing_delta": "trailingDelta",
}
NEEDED: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("time_in_force", "quantity", "price"),
    OrderType.LIMIT_MAKER: ("quantity", "price"),
    OrderType.STOP_LOSS: ("quantity",),
    OrderType.TAKE_PROFIT: ("quantity",),
    OrderType.STOP_LOSS_LIMIT: ("time_in_force", "quantity", "price"),
    OrderType.TAKE_PROFIT_LIMIT: ("time_in_force", "quantity", "price"),
}
OPTIONAL: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: ("quantity", "quote_quantity"),
    OrderType.LIMIT: (),
    OrderType.LIMIT_MAKER: (),
    OrderType.STOP_LOSS: ("stop_price", "trailing_delta"),
    OrderType.TAKE_PROFIT: ("stop_price", "trailing_delta"),
    OrderType.STOP_LOSS_LIMIT: ("stop_price", "trailing_delta"),
    OrderType.TAKE_PROFIT_LIMIT: ("stop_price", "trailing_delta"),
}
REFUSED = {
    type_: tuple(name for name in WORDS if name not in NEEDED[type_] + OPTIONAL[type_])
    for type_ in OrderType
}
ICEBERG_TYPES = frozenset(
    {
        OrderType.LIMIT,
        OrderType.LIMIT_MAKER,
        OrderType.STOP_LOSS_LIMIT,
        OrderType.TAKE_PROFIT_LIMIT,
    }
)


def check(order: NewOrder, rules: SymbolRules, *, quantity_later: bool = False) -> None:
    """Raise the venue's refusal when parameters are missing, unwanted, malformed or too precise.

    `quantity_later` is for OPO pending legs, whose quantity is known only when they go live.
    """
    _check_presence(order, quantity_later)
    _check_identity(order)
    _check_iceberg(order)
    _check_signs(order)
    _check_precision(order, rules)


def check_client_id(value: str | None, word: str = "newClientOrderId") -> None:
    if value is not None and not CLIENT_ID.fullmatch(value):
        raise refusals.illegal_characters(word, CLIENT_ID_RANGE)


def _check_presence(order: NewOrder, quantity_later: bool) -> None:
    for name in NEEDED[order.type]:
        if getattr(order, name) is None and not (quantity_later and name == "quantity"):
            raise refusals.missing(WORDS[name])
    if quantity_later and order.quantity is not None:
        raise refusals.not_required("quantity")
    for name in REFUSED[order.type]:
        if getattr(order, name) is not None:
            raise refusals.not_required(WORDS[name])
    if order.type is OrderType.MARKET and not quantity_later:
        if order.quantity is None and order.quote_quantity is None:
            raise refusals.missing_either("quantity", "quoteOrderQty")
        if order.quantity is not None and order.quote_quantity is not None:
            raise refusals.bad_combination()
    if order.type in TRIGGER_TYPES and order.stop_price is None and order.trailing_delta is None:
        raise refusals.missing_either("stopPrice", "trailingDelta")


def _check_identity(order: NewOrder) -> None:
    check_client_id(order.client_order_id)
    if order.strategy_type is not None and order.strategy_type < LOWEST_STRATEGY_TYPE:
        raise VenueRefusal(-1134, f"strategyType was less than {LOWEST_STRATEGY_TYPE}.")


def _check_iceberg(order: NewOrder) -> None:
    if not order.iceberg_quantity:
        return
    if order.type not in ICEBERG_TYPES:
        raise refusals.not_required("icebergQty")
    if order.time_in_force not in (None, TimeInForce.GTC):
        raise refusals.bad_combination()
    if order.quantity is not None and order.iceberg_quantity >= order.quantity:
        raise refusals.rejected("IcebergQty exceeds QTY.")


def _check_signs(order: NewOrder) -> None:
    for name in ("quantity", "quote_quantity", "price", "stop_price", "iceberg_quantity"):
        value = getattr(order, name)
        if value is not None and not (value.is_finite() and value > 0):
            word = WORDS.get(name, "icebergQty")
            # An iceberg quantity of zero is how some clients say 'none'.
            if not (name == "iceberg_quantity" and value == 0):
                raise VenueRefusal(-1013, f"Invalid {word}.")


def _check_precision(order: NewOrder, rules: SymbolRules) -> None:
    if order.quantity is not None and _decimals_exceed(order.quantity, rules.base_precision):
        raise refusals.too_precise("quantity")
    quote = rules.quote_precision
    if order.quote_quantity is not None and _decimals_exceed(order.quote_quantity, quote):
        raise refusals.too_precise("quoteOrderQty")
    if order.price is not None and _decimals_exceed(order.price, quote):
        raise refusals.too_precise("price")
    if order.stop_price is not None and _decimals_exceed(order.stop_price, quote):
        raise refusals.too_precise("stopPrice")
    iceberg = order.iceberg_quantity
    if iceberg is not None and _decimals_exceed(iceberg, rules.base_precision):
        raise refusals.too_precise("icebergQty")


def _decimals_exceed(value: Decimal, places: int) -> bool:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return False
    # Trailing zeros say nothing about precision: look at the figure, not its spelling.
    shortest = value.normalize().as_tuple().exponent
    return isinstance(shortest, int) and -shortest > places
