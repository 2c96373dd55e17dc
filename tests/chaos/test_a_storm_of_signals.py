"""Two hundred signals a second into twenty accounts, a venue that refuses and fills in parts, and
prices that fall in the middle: nothing trades that should not, at no point of the trail.

The trail is replayed by `replay`, which has tests of its own that it can find fault.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.chaos import flow, ledger, load, replay, storm
from tests.product import PROCESSES, Product, a_signal, product

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SECONDS = 60
PER_SECOND = 200
COUNT = SECONDS * PER_SECOND
ORDER, LIST = "/api/v3/order", "/api/v3/orderList/otoco"
FAULTS: list[dict[str, Any]] = [
    {"kind": "reject", "path": ORDER, "share": 0.03},
    {
        "kind": "reject",
        "path": ORDER,
        "share": 0.02,
        "code": -1013,
        "msg": "Filter failure: LOT_SIZE",
    },
    {"kind": "reject", "path": LIST, "share": 0.1},
    {"kind": "fill_in_parts", "path": ORDER, "share": 0.15, "filled": 0.5, "parts": 3},
    {"kind": "fill_in_parts", "path": ORDER, "share": 0.05, "filled": 0.85, "parts": 2},
]
BITES = {
    "ORDER_RATE_SECOND_AT_MAX",
    "ORDER_RATE_MINUTE_AT_MAX",
    "REPEATED_ENTRY_AT_MAX",
    "OPEN_POSITIONS_AT_MAX",
    "POSITION_NOTIONAL_ABOVE_MAX",
    "ENTRIES_PER_POSITION_AT_MAX",
    "ONE_SYMBOL_TAKEN",
    "OPEN_POSITIONS_TOTAL_AT_MAX",
    "SYMBOL_EXPOSURE_ABOVE_MAX",
    "GROSS_EXPOSURE_ABOVE_MAX",
    "BALANCE_INSUFFICIENT",
    "STOPS_AT_MAX",
    "TRADING_REDUCE_ONLY",
    "TRADING_FLATTEN",
}
REPLAYED = {
    "max_open_positions",
    "max_position_notional",
    "max_entries_per_position",
    "max_orders_per_second",
    "max_orders_per_minute",
    "max_repeats",
    "one_symbol_per_account",
    "max_open_positions_total",
    "max_symbol_exposure",
    "max_gross_exposure",
    "own money",
    "stop",
}
# The last look at the kill switch is right before the socket: what left then may still arrive. The
# venue itself refuses what arrives later than this after it was signed (BINANCE_RECV_WINDOW_MS).
ON_ITS_WAY = timedelta(seconds=5)
OPEN = (
    "SELECT a.name AS account, p.symbol, p.quantity, p.average_entry_price FROM trading_position p"
)
OPEN += " JOIN trading_virtualaccount a ON a.id = p.account_id WHERE p.is_open AND NOT p.is_dust"


def test_no_limit_is_exceeded_and_nothing_enters_after_a_stop(tmp_path, tell):
    payloads = list(storm.signals(COUNT))
    settings: dict[str, Any] = storm.settings()
    with product(tmp_path, **settings) as whole:
        storm.prepare(whole)
        opening = ledger.balances(whole.venue.control("ledger"))
        whole.start(*PROCESSES)
        whole.wait_until_ready()
        for fault in FAULTS:
            whole.venue.fault(**fault, method="POST")
        began = time.monotonic()
        sender = storm.Gusts(whole.nats.url, payloads, PER_SECOND)
        sender.start()
        whole.eventually(lambda: sender.sent >= COUNT / 2, 120)
        decided_at_the_fall = decided(whole)
        losers = let_prices_fall(whole)
        whole.eventually(lambda: losers <= stopped(whole), 90)
        exits = exit_on_purpose(whole)
        count = COUNT + sum(len(uids) for uids in exits.values())
        sender.finish()
        load.wait_until_settled(whole, count, 600)
        took = time.monotonic() - began
        whole.venue.control("faults", method="DELETE")
        whole.eventually(lambda: not naked(whole) and not to_be_flattened(whole), 60)
        load.wait_until_settled(whole, count, 60)
        whole.stop(*flow.STOP_ORDER)

        figures = judge(whole, payloads, exits, opening)
    tell(
        sent_in_s=f"{sender.seconds:.1f}",
        repeats=sender.repeated,
        decided_in_s=f"{took:.0f}",
        decided_per_s=f"{COUNT / took:.0f}",
        decided_before_the_fall=decided_at_the_fall,
        **figures,
    )


# ---- while it storms --------------------------------------------------------------------------


def decided(whole: Product) -> int:
    return int(whole.value("SELECT count(*) FROM signals_app_signal WHERE status <> 'received'"))


def let_prices_fall(whole: Product) -> set[str]:
    """Return the accounts whose holdings lose clearly more than their first step."""
    losses: defaultdict[str, float] = defaultdict(float)
    for row in whole.rows(OPEN):
        if row["symbol"] in storm.FALLING:
            cost = Decimal(row["quantity"]) * Decimal(row["average_entry_price"])
            losses[row["account"]] += float(cost) * storm.FALL
    for symbol in storm.FALLING:
        price = storm.on_grid(storm.PRICES[symbol][0] * (1 - storm.FALL))
        whole.venue.control("price", {"symbol": symbol, "price": str(price)})
    return {name for name, lost in losses.items() if lost > 0.035 * storm.capital_of(name)}


def stopped(whole: Product) -> set[str]:
    rows = whole.rows("SELECT key FROM trading_tradingstate WHERE scope = 'account'")
    return {row["key"] for row in rows}


def exit_on_purpose(whole: Product) -> dict[tuple[str, str], list[str]]:
    """Close, as a strategy does, what stopped accounts hold; again where the venue refuses it.

    Returns the signals that were sent for each position.
    """
    flattened = {
        row["key"]
        for row in whole.rows("SELECT key FROM trading_tradingstate WHERE mode = 'FLATTEN'")
    }
    wanted = stopped(whole) - flattened
    held = [(r["account"], r["symbol"]) for r in whole.rows(OPEN) if r["account"] in wanted]
    sent: dict[tuple[str, str], list[str]] = {place: [] for place in held}
    for _ in range(8):
        still = {(r["account"], r["symbol"]) for r in whole.rows(OPEN)} & set(sent)
        if not still:
            break
        for account, symbol in sorted(still):
            uid = f"exit-{secrets.token_hex(6)}"
            body = a_signal(
                strategy_id=storm.strategy_of(account),
                symbol=symbol,
                action="close",
                quantity=None,
                price=storm.PRICES[symbol][0],
                signal_uid=uid,
            )
            assert whole.post("/trade", body).status < 500
            sent[account, symbol].append(uid)
        time.sleep(1)
    return {place: uids for place, uids in sent.items() if uids}


def naked(whole: Product) -> list[dict[str, Any]]:
    return whole.rows("SELECT * FROM trading_position WHERE is_open AND naked_since IS NOT NULL")


def to_be_flattened(whole: Product) -> list[dict[str, Any]]:
    return whole.rows(
        OPEN + " AND a.name IN (SELECT key FROM trading_tradingstate WHERE mode = 'FLATTEN')"
    )


# ---- afterwards -------------------------------------------------------------------------------


def judge(
    whole: Product,
    payloads: list[dict[str, Any]],
    exits: dict[tuple[str, str], list[str]],
    opening: dict[str, Decimal],
) -> dict[str, object]:
    events = list(trail(whole))
    told = replay.Replay().follow_all(events)
    assert told.breaches == []
    assert {name for name in REPLAYED if not told.checks[name]} == set()

    sent_on_purpose = [uid for uids in exits.values() for uid in uids]
    outcomes = assert_one_outcome_each(whole, [p["signal_uid"] for p in payloads] + sent_on_purpose)
    assert {code for code in BITES if not outcomes[code]} == set()
    ledger.assert_each_order_was_sent_once(whole)
    books = ledger.assert_equal_books(whole, opening)
    ledger.assert_long_spells_rang(whole, flow.RINGS_WITHIN_SECONDS)
    spells = [spell.seconds for spell in ledger.unprotected_spells(whole)]
    assert_replay_equals_books(whole, told)
    assert "agrees" in whole.manage("tie_out")

    late = entries_at_the_venue_after_a_stop(whole, told)
    assert all(seconds < ON_ITS_WAY.total_seconds() for seconds in late)
    assert_exits_work(whole, events, exits)
    assert naked(whole) == []
    assert to_be_flattened(whole) == []
    assert told.flattened
    assert len(told.stopped) > len(told.flattened)
    return {
        "events": len(events),
        "entries_let_in": len(told.entries),
        "checks": sum(told.checks.values()),
        "stopped": len(told.stopped),
        "flattened": len(told.flattened),
        "longest_unprotected_s": f"{max(spells, default=0.0):.1f}",
        "exits_on_purpose": len(sent_on_purpose),
        "at_the_venue_after_a_stop_s": [round(s, 2) for s in late],
        "peaks": {name: f"{share:.3f}" for name, share in sorted(told.peaks.items())},
        **books,
        **outcomes,
    }


def trail(whole: Product) -> Iterator[dict[str, Any]]:
    for row in whole.rows("SELECT * FROM audit_event ORDER BY id"):
        data = row["data"]
        at = row["at"]
        yield row | {
            "data": data if isinstance(data, dict) else json.loads(data),
            "at": at if isinstance(at, datetime) else datetime.fromisoformat(at),
        }


def assert_one_outcome_each(whole: Product, uids: list[str]) -> Counter[str]:
    """One row per signal, denied with a code or routed with one order that has come to its end."""
    rows = whole.rows(
        "SELECT s.uid, s.status, d.code FROM signals_app_signal s"
        " LEFT JOIN trading_decision d ON d.id = s.decision_id"
    )
    assert sorted(row["uid"] for row in rows) == sorted(uids)
    mains = (
        "SELECT signal_uid, role, status, reason FROM trading_order WHERE role IN ('entry', 'exit')"
    )
    orders: dict[str, list[dict[str, Any]]] = {}
    for order in whole.rows(mains):
        orders.setdefault(order["signal_uid"], []).append(order)
    outcomes: Counter[str] = Counter()
    for row in rows:
        own = orders.get(row["uid"], [])
        if row["status"] == "denied":
            assert row["code"]
            assert not own
            outcomes[row["code"]] += 1
            continue
        assert row["status"] == "routed", row
        assert len(own) == 1, row
        assert own[0]["status"] in ("FILLED", "EXPIRED", "CANCELED", "REJECTED", "NOT_PLACED"), own
        outcomes[f"{own[0]['role']} {own[0]['status']}"] += 1
    return outcomes


def assert_replay_equals_books(whole: Product, told: replay.Replay) -> None:
    """What the trail alone comes to is what our books say, position by position and in money."""
    rows = whole.rows(
        "SELECT a.name, p.symbol, p.quantity FROM trading_position p"
        " JOIN trading_virtualaccount a ON a.id = p.account_id"
    )
    ours = {(r["name"], r["symbol"]): Decimal(r["quantity"]) for r in rows}
    assert told.holdings() == {place: quantity for place, quantity in ours.items() if quantity}
    wallet = ledger.balances(whole.venue.control("ledger"))["USDT"]
    spare = Decimal(100_000) - sum(storm.capital_of(name) for name in storm.ACCOUNTS)
    assert sum(told.money().values()) + spare == wallet


def entries_at_the_venue_after_a_stop(whole: Product, told: replay.Replay) -> list[float]:
    """Return by how many seconds entries of stopped accounts followed the stop, by the venue."""
    rows = whole.rows(
        "SELECT o.client_order_id, a.name FROM trading_order o"
        " JOIN trading_virtualaccount a ON a.id = o.account_id WHERE o.role = 'entry'"
    )
    owner = {row["client_order_id"]: row["name"] for row in rows}
    late = []
    for order in whole.venue.control("ledger")["orders"]:
        since = told.stopped.get(owner.get(order["placedAs"], ""))
        if since is not None and (after := order["time"] / 1000 - since.timestamp()) > 0:
            late.append(after)
    return late


def assert_exits_work(
    whole: Product, events: list[dict[str, Any]], exits: dict[tuple[str, str], list[str]]
) -> None:
    """What stopped accounts held was sold, by the exits sent on purpose unless an exit of the storm
    came first; none was denied for another reason than that."""
    denied = {e["signal_uid"]: e["data"]["code"] for e in events if e["kind"] == "decision.denied"}
    sold = {e["signal_uid"] for e in events if e["kind"] == "fill.booked"}
    came_first = {"NO_POSITION_TO_CLOSE", "POSITION_ALREADY_EXITING"}
    came_first |= {"QUANTITY_BELOW_MIN", "NOTIONAL_BELOW_MIN"}  # it left what nobody can sell
    sold_on_purpose = set()
    for place, uids in exits.items():
        codes = {denied[uid] for uid in uids if uid in denied}
        assert codes <= came_first, place
        if sold & set(uids):
            sold_on_purpose.add(place)
        else:
            assert codes, place
    assert len(sold_on_purpose) > len(exits) / 2
