"""The venue's own ledger beside our books: order by order, trade by trade, asset by asset."""

from __future__ import annotations

from collections import Counter
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
    expected = Counter(opening)
    for fill in product.rows("SELECT * FROM trading_fill"):
        sign = 1 if fill["side"] == "BUY" else -1
        expected[fill["symbol"].removesuffix("USDT")] += sign * Decimal(fill["quantity"])
        expected["USDT"] -= sign * Decimal(fill["quote_quantity"])
        expected[fill["commission_asset"]] -= Decimal(fill["commission"])
    held = balances(ledger)
    assert {a: v for a, v in expected.items() if v} == {a: v for a, v in held.items() if v}
    positions = product.rows("SELECT symbol, quantity FROM trading_position")
    bought = {a: v - opening.get(a, Decimal(0)) for a, v in held.items() if a != "USDT"}
    ours = {p["symbol"].removesuffix("USDT"): Decimal(p["quantity"]) for p in positions}
    assert {a: v for a, v in bought.items() if v} == {a: v for a, v in ours.items() if v}


def balances(ledger: dict[str, Any]) -> dict[str, Decimal]:
    return {b["asset"]: Decimal(b["free"]) + Decimal(b["locked"]) for b in ledger["balances"]}
