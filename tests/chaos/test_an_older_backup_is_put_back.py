"""An older backup is put back: what was traded since is booked and protected, once."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.product import PROCESSES, Product, a_signal, product

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
EXIT = {"price": None, "quantity": None, "action": "sell"}


@pytest.fixture
def made(tmp_path: Path):
    with product(
        tmp_path,
        MAX_OPEN_POSITIONS="100",
        MAX_POSITION_NOTIONAL="0",
        MAX_REPEATS="0",
        MAX_ORDERS_PER_MINUTE="0",
        ONE_SYMBOL_PER_ACCOUNT="false",
    ) as whole:
        if not whole.environment["DATABASE_URL"].startswith("sqlite"):
            pytest.skip("the backup is a copy of the SQLite file")
        yield whole


def start(made: Product) -> None:
    made.start(*PROCESSES)
    made.wait_until_ready()


def trade(made: Product, **fields) -> None:
    answer = made.post("/trade", a_signal(**fields))
    assert answer.status == 200, answer.body
    assert answer.body["result"]["status"] in ("filled", "pending", "open"), answer.body


def copy(source: Path, target: Path) -> None:
    """Copy a database with what its journal holds; nobody has it open."""
    target.unlink(missing_ok=True)
    for journal in ("-wal", "-shm"):
        Path(f"{target}{journal}").unlink(missing_ok=True)
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)


def all_protected(made: Product) -> bool:
    rows = made.rows("SELECT naked_since, quantity FROM trading_position WHERE is_open")
    return bool(rows) and all(row["naked_since"] is None for row in rows)


def trades(made: Product) -> set[tuple[str, str, str]]:
    rows = made.rows("SELECT symbol, venue_trade_id, quantity FROM trading_fill")
    return {tuple(row.values()) for row in rows}


def resting(made: Product) -> set[tuple[str, str]]:
    rows = made.rows(
        "SELECT client_order_id, role FROM trading_order"
        " WHERE status IN ('OPEN', 'PARTIALLY_FILLED', 'PENDING')"
    )
    return {tuple(row.values()) for row in rows}


def test_what_was_traded_since_is_adopted(made: Product, tmp_path: Path, tell):
    database = Path(urlsplit(made.environment["DATABASE_URL"]).path[1:])
    start(made)
    trade(made)
    made.eventually(lambda: all_protected(made))
    made.stop(*PROCESSES)
    copy(database, tmp_path / "backup.sqlite3")

    start(made)
    trade(made)  # more of what was held: its protection is another one than the backup knows
    trade(made, symbol="ETHUSDT", price=None, quantity=0.1)
    trade(made, symbol="BNBUSDT", price=None, quantity=1)
    trade(made, symbol="BNBUSDT", **(EXIT | {"quantity": 0.5}))
    made.eventually(lambda: len(trades(made)) >= 5 and all_protected(made))
    before, at_rest = trades(made), resting(made)
    made.stop(*PROCESSES)
    copy(tmp_path / "backup.sqlite3", database)
    assert trades(made) < before

    start(made)
    made.eventually(lambda: trades(made) == before, 60)
    made.eventually(lambda: all_protected(made), 30)
    halted = made.rows(
        "SELECT scope, key, mode, reason FROM trading_tradingstate WHERE released_at IS NULL"
    )
    [state] = halted
    assert (state["scope"], state["key"], state["mode"]) == ("venue", "simulator", "HALTED")
    adopted = made.rows("SELECT role FROM trading_order WHERE adopted_at IS NOT NULL")
    tell(adopted=len(adopted), fills=len(before), stops_kept=len(at_rest & resting(made)))

    entry = made.post("/trade", a_signal())
    assert "TRADING_HALTED" in json.dumps(entry.body)
    trade(made, symbol="ETHUSDT", **EXIT)  # what has to leave, leaves
    made.eventually(lambda: json.loads(made.manage("tie_out", "--json"))[0]["agrees"], 30)
    assert len(trades(made)) == len(before) + 1
    assert made.rows("SELECT id FROM audit_event WHERE kind = 'order.adopted'")
    assert made.rows("SELECT id FROM audit_event WHERE kind = 'position.alarm'")
