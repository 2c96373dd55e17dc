"""The whole state as plain JSON data and back. Decimals travel as text, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar, get_args, get_type_hints

from exchanges.matching.account import Account, OrderLimit
from exchanges.matching.market import Market
from exchanges.matching.records import Balance, Order, OrderList, Trade
from exchanges.matching.rules import ExchangeRules, PriceRange, parse_symbol
from exchanges.matching.state import State

FORMAT = 1
COUNTERS = ("last_order_id", "last_list_id", "last_execution_id", "last_name", "revision")
Record = TypeVar("Record")


def dump(state: State) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "order_limits": [[x.interval, x.interval_num, x.limit] for x in state.order_limits],
        "queue_at_touch": state.queue_at_touch,
        "exchange_rules": {
            f.name: getattr(state.exchange_rules, f.name) for f in fields(ExchangeRules)
        },
        "counters": {name: getattr(state, name) for name in COUNTERS},
        "markets": [_dump_market(market) for market in state.markets.values()],
        "accounts": [_dump_account(account) for account in state.accounts.values()],
    }


def load(data: Mapping[str, Any]) -> State:
    """Raise ValueError for a format this version does not read."""
    if data.get("format") != FORMAT:
        raise ValueError(f"snapshot format {data.get('format')!r} is not {FORMAT}")
    state = State(
        tuple(OrderLimit(*row) for row in data["order_limits"]),
        queue_at_touch=data["queue_at_touch"],
    )
    state.exchange_rules = ExchangeRules(**data["exchange_rules"])
    for name in COUNTERS:
        setattr(state, name, data["counters"][name])
    for row in data["accounts"]:
        account = _load_account(row)
        state.accounts[account.account_id] = account
    orders = {
        order.order_id: order
        for account in state.accounts.values()
        for held in account.open.values()
        for order in held.values()
    }
    for row in data["markets"]:
        market = _load_market(row, orders)
        state.markets[market.rules.symbol] = market
    return state


def _dump_market(market: Market) -> dict[str, Any]:
    price_range = market.price_range
    return {
        "entry": market.rules.entry,
        "update_id": market.book.update_id,
        "bids": [[str(p), str(q)] for p, q in market.book.bids],
        "asks": [[str(p), str(q)] for p, q in market.book.asks],
        "last_price": _text(market.tape.last_price),
        "last_trade_id": market.tape.last_trade_id,
        "minutes": [[int(m), str(v), str(q)] for m, v, q in market.tape.minutes],
        "reference_price": _text(market.reference_price),
        "price_range": None
        if price_range is None
        else [[str(x) for x in price_range.bid], [str(x) for x in price_range.ask]],
        "buys": [order.order_id for order in market.buys],
        "sells": [order.order_id for order in market.sells],
        "watching": list(market.watching),
    }


def _load_market(row: Mapping[str, Any], orders: Mapping[int, Order]) -> Market:
    market = Market(parse_symbol(row["entry"]))
    market.book.update_id = row["update_id"]
    market.book.bids = [[Decimal(p), Decimal(q)] for p, q in row["bids"]]
    market.book.asks = [[Decimal(p), Decimal(q)] for p, q in row["asks"]]
    market.tape.last_price = _decimal(row["last_price"])
    market.tape.last_trade_id = row["last_trade_id"]
    market.tape.minutes = [[m, Decimal(v), Decimal(q)] for m, v, q in row["minutes"]]
    market.reference_price = _decimal(row["reference_price"])
    if row["price_range"] is not None:
        (bid_down, bid_up), (ask_down, ask_up) = row["price_range"]
        market.price_range = PriceRange(
            (Decimal(bid_down), Decimal(bid_up)), (Decimal(ask_down), Decimal(ask_up))
        )
    market.buys = [orders[i] for i in row["buys"]]
    market.sells = [orders[i] for i in row["sells"]]
    market.watching = {i: orders[i] for i in row["watching"]}
    return market


def _dump_account(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "maker_rate": str(account.maker_rate),
        "taker_rate": str(account.taker_rate),
        "bnb_burn": account.bnb_burn,
        "can_trade": account.can_trade,
        "updated_ms": account.updated_ms,
        "balances": [[a, str(b.free), str(b.locked)] for a, b in account.balances.items()],
        "windows": [list(window) for window in account.windows],
        "orders": {
            symbol: [dump_record(order) for order in rows]
            for symbol, rows in account.orders.items()
        },
        "trades": {
            symbol: [dump_record(trade) for trade in rows]
            for symbol, rows in account.trades.items()
        },
        "lists": [dump_record(held) for held in account.lists.values()],
        "client_ids": [
            [symbol, name, order.order_id] for (symbol, name), order in account.by_client_id.items()
        ],
    }


def _load_account(row: Mapping[str, Any]) -> Account:
    account = Account(
        row["account_id"],
        maker_rate=Decimal(row["maker_rate"]),
        taker_rate=Decimal(row["taker_rate"]),
        bnb_burn=row["bnb_burn"],
        can_trade=row["can_trade"],
    )
    account.updated_ms = row["updated_ms"]
    account.balances = {a: Balance(Decimal(f), Decimal(x)) for a, f, x in row["balances"]}
    account.windows = [list(window) for window in row["windows"]]
    for symbol, rows in row["orders"].items():
        account.orders[symbol] = [load_record(Order, x) for x in rows]
        account.open[symbol] = {o.order_id: o for o in account.orders[symbol] if o.is_open}
    for rows in row["trades"].values():
        for one in rows:
            account.note_trade(load_record(Trade, one))
    for held in (load_record(OrderList, x) for x in row["lists"]):
        account.lists[held.list_id] = held
        if held.is_open:
            account.open_lists[held.list_id] = held
    for symbol, name, order_id in row["client_ids"]:
        account.by_client_id[(symbol, name)] = account.order(symbol, order_id)
    return account


# --- one record ------------------------------------------------------------------------------


def dump_record(record: Order | OrderList | Trade) -> dict[str, Any]:
    """Return a record's fields as JSON data: decimals as text, words as text, legs as lists."""
    return {name: _plain(getattr(record, name)) for name in _READERS[type(record)]}


def load_record(kind: type[Record], data: Mapping[str, Any]) -> Record:
    """Build a record from what `dump_record` gave."""
    readers = _READERS[kind]
    return kind(**{name: readers[name](data[name]) for name in readers})


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [list(row) for row in value]
    return value


def _reader(hint: Any) -> Any:
    """Choose how one annotated field is read back."""
    if isinstance(hint, UnionType):
        inner = _reader(next(arg for arg in get_args(hint) if arg is not type(None)))
        return lambda value: None if value is None else inner(value)
    if hint is Decimal or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return hint
    if get_args(hint):  # OrderList.legs
        return lambda rows: tuple(tuple(row) for row in rows)
    return lambda value: value


def _readers_of(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in fields(kind)}


_READERS: dict[type[Any], dict[str, Any]] = {
    kind: _readers_of(kind) for kind in (Order, OrderList, Trade)
}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
