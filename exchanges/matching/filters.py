"""The symbol's filters, one function each; the tuple at the end is the order they are read in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from exchanges.domain.instruments import Range
from exchanges.matching import refusals
from exchanges.matching.account import Account
from exchanges.matching.enums import STOP_TYPES, TRIGGER_TYPES, OrderType, Side
from exchanges.matching.market import Market
from exchanges.matching.records import ZERO, Order
from exchanges.matching.requests import NewOrder
from exchanges.matching.rules import ExchangeRules, SymbolRules

BIP = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Situation:
    """What filters look at besides the order: the symbol's market, the account, the clock."""

    market: Market
    account: Account
    exchange: ExchangeRules
    now_ms: int

    @property
    def rules(self) -> SymbolRules:
        return self.market.rules


def check(order: NewOrder, at: Situation) -> None:
    """Raise -1013 'Filter failure: NAME' for the first figure filter the order breaks."""
    for one in FIGURE_FILTERS:
        one(order, at)


def check_counts(orders: Sequence[NewOrder], at: Situation, *, lists: int = 0) -> None:
    """Raise -1013 when `orders` (and `lists` more order lists) are more than may be open."""
    rules, account = at.rules, at.account
    here = account.open_on(rules.symbol).values()
    algos = sum(1 for o in orders if o.type in TRIGGER_TYPES)
    icebergs = sum(1 for o in orders if o.iceberg_quantity)
    _limit("MAX_NUM_ORDERS", rules.max_orders, len(here) + len(orders))
    if algos:
        _limit("MAX_NUM_ALGO_ORDERS", rules.max_algo_orders, _algos(here) + algos)
    if icebergs:
        _limit("MAX_NUM_ICEBERG_ORDERS", rules.max_iceberg_orders, _icebergs(here) + icebergs)
    if lists and rules.max_order_lists:
        open_here = sum(1 for x in account.open_lists.values() if x.symbol == rules.symbol)
        _limit("MAX_NUM_ORDER_LISTS", rules.max_order_lists, open_here + lists)
    if at.exchange != UNLIMITED:
        _check_exchange_counts(at, len(orders), algos, icebergs, lists)


def _check_exchange_counts(
    at: Situation, orders: int, algos: int, icebergs: int, lists: int
) -> None:
    everywhere = [o for held in at.account.open.values() for o in held.values()]
    limits = at.exchange
    _limit("EXCHANGE_MAX_NUM_ORDERS", limits.max_orders, len(everywhere) + orders)
    if algos:
        _limit("EXCHANGE_MAX_NUM_ALGO_ORDERS", limits.max_algo_orders, _algos(everywhere) + algos)
    if icebergs:
        _limit(
            "EXCHANGE_MAX_NUM_ICEBERG_ORDERS",
            limits.max_iceberg_orders,
            _icebergs(everywhere) + icebergs,
        )
    if lists:
        _limit(
            "EXCHANGE_MAX_NUM_ORDER_LISTS",
            limits.max_order_lists,
            len(at.account.open_lists) + lists,
        )


def _limit(name: str, limit: int, count: int) -> None:
    if limit and count > limit:
        raise refusals.filter_failure(name)


def _algos(orders: Iterable[Order]) -> int:
    return sum(1 for o in orders if o.type in TRIGGER_TYPES)


def _icebergs(orders: Iterable[Order]) -> int:
    return sum(1 for o in orders if o.iceberg_quantity)


def price_filter(order: NewOrder, at: Situation) -> None:
    band = at.rules.price
    if order.price is not None and not _fits(band, order.price):
        raise refusals.filter_failure("PRICE_FILTER")
    if order.stop_price is not None and not _fits(band, order.stop_price):
        raise refusals.filter_failure("PRICE_FILTER")


def percent_price(order: NewOrder, at: Situation) -> None:
    if order.price is None:
        return
    for rule in at.rules.percents:
        base = at.market.price_for_filters(rule.average_minutes, at.now_ms)
        if base is None:
            continue
        down, up = rule.bid if order.side is Side.BUY else rule.ask
        if (up and order.price > base * up) or (down and order.price < base * down):
            raise refusals.filter_failure(rule.name)


def lot_size(order: NewOrder, at: Situation) -> None:
    band = at.rules.lot
    if order.quantity is not None and not _fits(band, order.quantity):
        raise refusals.filter_failure("LOT_SIZE")
    if order.iceberg_quantity and not _fits(band, order.iceberg_quantity):
        raise refusals.filter_failure("LOT_SIZE")


def market_lot_size(order: NewOrder, at: Situation) -> None:
    if order.type is not OrderType.MARKET or order.quantity is None:
        return
    if not _fits(at.rules.market_lot, order.quantity):
        raise refusals.filter_failure("MARKET_LOT_SIZE")


def notional(order: NewOrder, at: Situation) -> None:
    for rule in at.rules.notionals:
        value = _notional_of(order, at, rule.average_minutes)
        if value is None:
            continue
        has_price = order.price is not None
        below = rule.minimum and value < rule.minimum
        above = rule.maximum and value > rule.maximum
        if (below and (has_price or rule.minimum_on_market)) or (
            above and (has_price or rule.maximum_on_market)
        ):
            raise refusals.filter_failure(rule.name)


def _notional_of(order: NewOrder, at: Situation, minutes: int) -> Decimal | None:
    if order.quote_quantity is not None:
        return order.quote_quantity
    price = order.price or order.stop_price
    if price is None:
        price = at.market.price_for_filters(minutes, at.now_ms)
    if price is None or order.quantity is None:
        return None
    return price * order.quantity


def iceberg_parts(order: NewOrder, at: Situation) -> None:
    if not order.iceberg_quantity or order.quantity is None:
        return
    if not at.rules.iceberg_allowed:
        raise refusals.rejected("Iceberg orders are not supported for this symbol.")
    parts = (order.quantity / order.iceberg_quantity).to_integral_value(ROUND_CEILING)
    if at.rules.iceberg_parts and parts > at.rules.iceberg_parts:
        raise refusals.filter_failure("ICEBERG_PARTS")


def trailing_delta(order: NewOrder, at: Situation) -> None:
    rule = at.rules.trailing
    if order.trailing_delta is None or rule is None:
        return
    low, high = rule.above if triggers_above(order.type, order.side) else rule.below
    if not low <= order.trailing_delta <= high:
        raise refusals.filter_failure("TRAILING_DELTA")


def max_position(order: NewOrder, at: Situation) -> None:
    limit = at.rules.max_position
    if not limit or order.side is not Side.BUY:
        return
    held = at.account.balance(at.rules.base_asset)
    coming = sum(
        (o.remaining for o in at.account.open_on(order.symbol).values() if o.side is Side.BUY),
        ZERO,
    )
    quantity = order.quantity
    if quantity is None:
        price = at.market.price_now()
        quantity = (order.quote_quantity or ZERO) / price if price else ZERO
    if held.free + held.locked + coming + quantity > limit:
        raise refusals.filter_failure("MAX_POSITION")


def triggers_above(type_: OrderType, side: Side) -> bool:
    """Say whether a trigger order of this type and side waits above the market."""
    return (type_ in STOP_TYPES) == (side is Side.BUY)


def _fits(band: Range, value: Decimal) -> bool:
    if band.minimum and value < band.minimum:
        return False
    if band.maximum and value > band.maximum:
        return False
    return not band.step or not value % band.step


FIGURE_FILTERS: tuple[Callable[[NewOrder, Situation], None], ...] = (
    price_filter,
    percent_price,
    lot_size,
    market_lot_size,
    notional,
    iceberg_parts,
    trailing_delta,
    max_position,
)
UNLIMITED = ExchangeRules()
