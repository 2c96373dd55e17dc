"""The venue's own ledger beside our books: order by order, trade by trade, asset by asset."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.product import Product

NEVER_THERE = ("NEW", "NOT_PLACED", "REJECTED")
OUR_WORD = {
    "NEW": "OPEN",
    "PENDING_NEW": "PENDING",
    "PARTIALLY_FILLED": "PARTIALLY_FILLED",
    "FILLED": "FILLED",
    "CANCELED": "CANCELED",
    "EXPIRED": "EXPIRED",
}


def assert_equal_books(product: Product, opening: dict[str, Decimal]) -> dict[str, int]:
    """Compare every figure; return how many there were. `opening`: balances before the first trade.

    Nothing of the product may be running, or a fill between two looks would be a difference.
    """
    ledger = product.venue.control("ledger")
    ours = product.rows("SELECT * FROM trading_order")
    assert_equal_orders(ledger["orders"], ours)
    fills = product.rows("SELECT * FROM trading_fill")
    assert_equal_trades(ledger["trades"], fills)
    assert_balances_tie(ledger, opening, product)
    return {"orders": len(ledger["orders"]), "trades": len(fills)}


def assert_equal_orders(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
    times = Counter(o["placedAs"] for o in theirs)
    assert not [name for name, count in times.items() if count > 1], "an order id was used twice"
    there = {o["placedAs"]: _as_ours(o) for o in theirs}
    here = {o["client_order_id"]: _figures(o) for o in ours if o["status"] not in NEVER_THERE}
    assert set(there) == set(here)
    assert {k: (v, here[k]) for k, v in there.items() if v != here[k]} == {}


def _as_ours(order: dict[str, Any]) -> tuple[str, Decimal, Decimal]:
    executed, quote = Decimal(order["executedQty"]), Decimal(order["cummulativeQuoteQty"])
    return OUR_WORD[order["status"]], executed, quote


def _figures(order: dict[str, Any]) -> tuple[str, Decimal, Decimal]:
    booked, quote = Decimal(order["booked_quantity"]), Decimal(order["booked_quote"])
    assert booked == Decimal(order["executed_quantity"]), order["client_order_id"]
    return order["status"], booked, quote


def assert_equal_trades(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
    there = {
        (t["symbol"], str(t["id"])): (
            *(Decimal(t[name]) for name in ("price", "qty", "quoteQty", "commission")),
            t["commissionAsset"],
        )
        for t in theirs
    }
    here = {
        (f["symbol"], f["venue_trade_id"]): (
            *(Decimal(f[name]) for name in ("price", "quantity", "quote_quantity", "commission")),
            f["commission_asset"],
        )
        for f in ours
    }
    assert there == here
    assert len(here) == len(ours), "a trade is booked twice"


def assert_balances_tie(
    ledger: dict[str, Any], opening: dict[str, Decimal], product: Product
) -> None:
    """Opening balance plus every fill is what the venue holds, and what our positions hold."""
    expected: defaultdict[str, Decimal] = defaultdict(Decimal, opening)
    for fill in product.rows("SELECT * FROM trading_fill"):
        sign = 1 if fill["side"] == "BUY" else -1
        expected[fill["symbol"].removesuffix("USDT")] += sign * Decimal(fill["quantity"])
        expected["USDT"] -= sign * Decimal(fill["quote_quantity"])
        expected[fill["commission_asset"]] -= Decimal(fill["commission"])
    held = balances(ledger)
    assert {a: v for a, v in expected.items() if v} == {a: v for a, v in held.items() if v}
    positions = product.rows("SELECT symbol, quantity FROM trading_position")
    bought = {a: v - opening.get(a, Decimal(0)) for a, v in held.items() if a != "USDT"}
    ours: defaultdict[str, Decimal] = defaultdict(Decimal)
    for position in positions:
        ours[position["symbol"].removesuffix("USDT")] += Decimal(position["quantity"])
    assert {a: v for a, v in bought.items() if v} == {a: v for a, v in ours.items() if v}


def balances(ledger: dict[str, Any]) -> dict[str, Decimal]:
    return {b["asset"]: Decimal(b["free"]) + Decimal(b["locked"]) for b in ledger["balances"]}


def assert_each_order_was_sent_once(product: Product) -> None:
    """An order leaves once, and again only when the attempt before was proven not executed."""
    sent: Counter[str] = Counter()
    unknown: set[str] = set()
    for event in _events(product, "order.submitting", "order.not_sent", "order.unknown"):
        order = event["subject_id"]
        if event["kind"] == "order.unknown":
            unknown.add(order)
            continue
        assert order not in unknown, f"order {order} was sent again with its outcome unknown"
        sent[order] += 1 if event["kind"] == "order.submitting" else -1
        assert sent[order] in (0, 1), f"order {order} left twice"


@dataclass(frozen=True)
class Spell:
    """A time in which part of a position had no cover at the venue: an entry's fill until all is
    covered, or until the last event when it never was."""

    account: str
    symbol: str
    begun: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        return (self.ended - self.begun).total_seconds()


def unprotected_spells(product: Product) -> list[Spell]:
    """Read from the audit trail when positions were not fully protected."""
    spells = []
    begun: dict[tuple[str, str], datetime] = {}
    at = None
    for event in _events(product, "fill.booked", "position.protected", "position.dust"):
        at, data = _moment(event["at"]), _data(event)
        place = data["account"], data["symbol"]
        if event["kind"] == "fill.booked":
            if data["role"] == "entry":
                begun.setdefault(place, at)
        elif place in begun:
            spells.append(Spell(*place, begun.pop(place), at))
    held = {
        (row["name"], row["symbol"])
        for row in product.rows(
            "SELECT a.name, p.symbol FROM trading_position p"
            " JOIN trading_virtualaccount a ON a.id = p.account_id WHERE p.is_open"
        )
    }
    return spells + [Spell(*p, since, at) for p, since in begun.items() if at and p in held]


def assert_long_spells_rang(product: Product, seconds: float) -> None:
    """A position without cover for longer than that had its alarm ringing."""
    alarms = [
        ((_data(e)["account"], _data(e)["symbol"]), _moment(e["at"]))
        for e in _events(product, "position.alarm")
    ]
    for spell in unprotected_spells(product):
        place = spell.account, spell.symbol
        rang = [p == place and spell.begun <= at <= spell.ended for p, at in alarms]
        assert spell.seconds <= seconds or any(rang), f"{spell} and no alarm"


def _events(product: Product, *kinds: str) -> list[dict[str, Any]]:
    marks = ", ".join("?" * len(kinds))
    return product.rows(f"SELECT * FROM audit_event WHERE kind IN ({marks}) ORDER BY id", *kinds)


def _data(event: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL gives JSON decoded, SQLite its text."""
    data = event["data"]
    return data if isinstance(data, dict) else json.loads(data)


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
