"""What survives the process: one SQLite row per order, list, trade, account and market.

Every engine call's consequences are committed before its reply leaves, so a SIGKILL loses nothing
that was acknowledged; a power cut may lose the last moments (WAL, synchronous NORMAL). Writing
only the rows a call touched costs well under 0.1 ms and does not grow with history.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from exchanges.matching import Engine
from exchanges.matching.enums import TRIGGER_TYPES, OrderStatus, Side
from exchanges.matching.events import BalancesChanged, Event, ListChanged, OrderChanged
from exchanges.matching.records import Order, OrderList, Trade
from exchanges.matching.snapshots import FORMAT, dump_record, load_record

NAME = "simulator.db"
OLDER_NAME = "state.json"  # a database all the same
Row = tuple[str, str, bytes]  # kind, key, JSON
Json = dict[str, Any]
UPSERT = (
    "INSERT INTO records VALUES (?, ?, ?)"
    " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body"
)
TRADE_ID_GAP = 1_000_000  # outside prints of the last run also took ids; step well past them
VENUE_NAME = re.compile(r"venue(\d{17})")


def take_over(path: Path) -> None:
    """Give the file of the older name beside `path` its new one, unless there is a file already.

    What SQLite keeps beside it goes first: a start that is cut short is finished by the next.
    """
    older = path.with_name(OLDER_NAME)
    if path.name != NAME or path.exists() or not older.exists():
        return
    for end in ("-wal", "-shm", ""):
        beside = older.with_name(older.name + end)
        if beside.exists():
            beside.rename(path.with_name(path.name + end))


class Store:
    """The state file. Raises sqlite3.Error when it cannot be used."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA busy_timeout = 5000")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS records"
            " (kind TEXT, key TEXT, body BLOB, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )

    def load(self) -> Json | None:
        """Return an engine snapshot made from what was stored, None when there is nothing."""
        rows: dict[str, list[Json]] = {}
        for kind, body in self._db.execute("SELECT kind, body FROM records"):
            rows.setdefault(kind, []).append(orjson.loads(body))
        return _snapshot(rows) if rows.get("account") else None

    def record(self, engine: Engine, events: Sequence[Event]) -> None:
        """Keep what an engine call changed."""
        rows = list(_rows_of(engine, events))
        if rows:
            self._write(rows)

    def account(self, engine: Engine, account_id: str) -> None:
        """Keep an account's rates and balances."""
        self._write([_account_row(engine, account_id)])

    def clear(self) -> None:
        """Forget everything."""
        self._db.execute("DELETE FROM records")

    def close(self, engine: Engine) -> None:
        """Keep the last state of everything open, then let go of the file."""
        rows = [_account_row(engine, account_id) for account_id in engine.accounts]
        # What trails and queues moved since its last event; orders at rest change silently.
        for account_id in engine.accounts:
            rows += [_order_row(order) for order in engine.open_orders(account_id)]
        self._write(rows)
        self._db.close()

    def _write(self, rows: Iterable[Row]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(UPSERT, rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


# --- from the engine to rows --------------------------------------------------------------------


def _rows_of(engine: Engine, events: Sequence[Event]) -> Iterator[Row]:
    """Yield the rows an engine call touched, each once and as it is now."""
    orders: dict[int, tuple[str, str]] = {}
    lists: dict[int, str] = {}
    accounts: dict[str, None] = {}
    execution_id = 0
    for event in events:
        if isinstance(event, OrderChanged):
            orders[event.order.order_id] = (event.account_id, event.order.symbol)
            execution_id = event.execution_id
            if event.trade_id >= 0:
                yield _trade_row(event)
            if event.order.list_id >= 0:
                lists[event.order.list_id] = event.account_id
        elif isinstance(event, ListChanged):
            lists[event.order_list.list_id] = event.account_id
        elif isinstance(event, BalancesChanged):
            accounts[event.account_id] = None
    for order_id, (account_id, symbol) in orders.items():
        yield _order_row(engine.order(account_id, symbol, order_id=order_id))
    for list_id, account_id in lists.items():
        entry = engine.order_list(account_id, list_id=list_id)
        yield "list", str(list_id), orjson.dumps(dump_record(entry))
    for account_id in accounts:
        yield _account_row(engine, account_id)
    if execution_id:
        yield "counter", "last_execution_id", orjson.dumps({"value": execution_id})


def _order_row(order: Order) -> Row:
    return "order", str(order.order_id), orjson.dumps(dump_record(order))


def _trade_row(event: OrderChanged) -> Row:
    order = event.order
    trade = Trade(
        trade_id=event.trade_id,
        account_id=event.account_id,
        symbol=order.symbol,
        order_id=order.order_id,
        list_id=order.list_id,
        price=event.last_price,
        quantity=event.last_quantity,
        quote_quantity=event.last_quote,
        commission=event.commission,
        commission_asset=event.commission_asset or "",
        at_ms=event.at_ms,
        is_buyer=order.side is Side.BUY,
        is_maker=event.is_maker,
    )
    return "trade", f"{order.symbol}:{event.trade_id}", orjson.dumps(dump_record(trade))


def _account_row(engine: Engine, account_id: str) -> Row:
    view = engine.account(account_id)
    body = {
        "account_id": account_id,
        "maker_rate": str(view.maker_rate),
        "taker_rate": str(view.taker_rate),
        "bnb_burn": view.bnb_burn,
        "can_trade": view.can_trade,
        "updated_ms": view.updated_ms,
        "balances": [[asset, str(free), str(locked)] for asset, free, locked in view.balances],
    }
    return "account", account_id, orjson.dumps(body)


# --- from rows to an engine snapshot ------------------------------------------------------------


def _snapshot(rows: dict[str, list[Json]]) -> Json:
    orders = sorted((load_record(Order, row) for row in rows.get("order", [])), key=_order_id)
    lists = sorted((load_record(OrderList, row) for row in rows.get("list", [])), key=_list_id)
    trades = sorted(rows.get("trade", []), key=lambda row: int(row["trade_id"]))
    accounts = {row["account_id"]: _empty_history(row) for row in rows["account"]}
    for order in orders:
        held = accounts[order.account_id]
        held["orders"].setdefault(order.symbol, []).append(dump_record(order))
        for name in filter(None, (order.original_client_order_id, order.client_order_id)):
            held["client_ids"].append([order.symbol, name, order.order_id])
    for entry in lists:
        accounts[entry.account_id]["lists"].append(dump_record(entry))
    for trade in trades:
        accounts[trade["account_id"]]["trades"].setdefault(trade["symbol"], []).append(trade)
    return {
        "format": FORMAT,
        "order_limits": [],
        "queue_at_touch": False,
        "exchange_rules": {},
        "counters": _counters(orders, lists, rows.get("counter", [])),
        "markets": [],
        "accounts": list(accounts.values()),
        "resting": _waiting(orders),
        "last_trade_ids": _last_trade_ids(trades),
    }


def _empty_history(row: Json) -> Json:
    return {**row, "windows": [], "orders": {}, "trades": {}, "lists": [], "client_ids": []}


def _counters(orders: list[Order], lists: list[OrderList], stored: list[Json]) -> Json:
    revisions = [order.revision for order in orders] + [entry.revision for entry in lists]
    names = [order.client_order_id for order in orders]
    names += [order.original_client_order_id for order in orders]
    names += [entry.client_order_id for entry in lists]
    made_up = [int(found[1]) for name in names if (found := VENUE_NAME.fullmatch(name))]
    return {
        "last_order_id": max((order.order_id for order in orders), default=0),
        "last_list_id": max((entry.list_id for entry in lists), default=0),
        "last_execution_id": max((row["value"] for row in stored), default=0),
        "last_name": max(made_up, default=0),
        "revision": max(revisions, default=0),
    }


def _waiting(orders: list[Order]) -> dict[str, Json]:
    """Return who rests on each symbol's book and who watches for a trigger, by order id."""
    waiting: dict[str, Json] = {}
    for order in sorted(orders, key=lambda order: (order.working_ms, order.order_id)):
        if not order.is_open or order.status is OrderStatus.PENDING_NEW:
            continue
        places = waiting.setdefault(order.symbol, {"buys": [], "sells": [], "watching": []})
        if order.type in TRIGGER_TYPES and not order.is_working:
            places["watching"].append(order.order_id)
        else:
            places["buys" if order.side is Side.BUY else "sells"].append(order)
    for places in waiting.values():
        # Sorting is stable, so equal prices keep their place in time.
        places["buys"] = _ids(sorted(places["buys"], key=_price, reverse=True))
        places["sells"] = _ids(sorted(places["sells"], key=_price))
        places["watching"].sort()
    return waiting


def _last_trade_ids(trades: list[Json]) -> dict[str, int]:
    return {trade["symbol"]: int(trade["trade_id"]) + TRADE_ID_GAP for trade in trades}


def with_markets(snapshot: Json, entries: Iterable[Json], limits: list[list[Any]]) -> Json:
    """Complete a loaded snapshot with today's listings and order limits."""
    resting, last_trade_ids = snapshot.pop("resting"), snapshot.pop("last_trade_ids")
    nobody: Json = {"buys": [], "sells": [], "watching": []}
    snapshot["order_limits"] = limits
    snapshot["exchange_rules"] = {
        "max_orders": 0,
        "max_algo_orders": 0,
        "max_iceberg_orders": 0,
        "max_order_lists": 0,
    }
    for account in snapshot["accounts"]:
        account["windows"] = [[0, 0] for _ in limits]
    snapshot["markets"] = [
        {
            "entry": entry,
            "update_id": 0,
            "bids": [],
            "asks": [],
            "last_price": None,
            "last_trade_id": last_trade_ids.get(entry["symbol"], 0),
            "minutes": [],
            "reference_price": None,
            "price_range": None,
            **resting.get(entry["symbol"], nobody),
        }
        for entry in entries
    ]
    return snapshot


def _ids(orders: list[Order]) -> list[int]:
    return [order.order_id for order in orders]


def _price(order: Order) -> Decimal:
    return order.price


def _order_id(order: Order) -> int:
    return order.order_id


def _list_id(entry: OrderList) -> int:
    return entry.list_id
