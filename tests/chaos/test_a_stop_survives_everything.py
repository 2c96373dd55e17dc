"""Everything is killed in the middle of a stop: it stands as before, its rest is done once."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.chaos import ledger, load
from tests.product import PROCESSES, Product, a_signal, product

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
HELD = ("ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT", "LINKUSDT", "LTCUSDT")
RESTING = ("DOTUSDT", "AVAXUSDT", "ETHUSDT", "SOLUSDT")
STATES = "SELECT * FROM trading_tradingstate ORDER BY id"


@pytest.fixture
def desk(tmp_path):
    """A product that holds positions and has entries at rest, and its opening balances."""
    with product(tmp_path, **load.ACCOUNT) as whole:
        opening = ledger.balances(whole.venue.control("ledger"))
        whole.start(*PROCESSES)
        whole.wait_until_ready()
        whole.publish(*(_bought(symbol) for symbol in HELD), *(_at_rest(s) for s in RESTING))
        whole.eventually(lambda: _held(whole) == len(HELD), 60)
        whole.eventually(lambda: _resting(whole) == len(RESTING), 60)
        naked = "SELECT count(*) FROM trading_position WHERE is_open AND naked_since IS NOT NULL"
        whole.eventually(lambda: not whole.value(naked), 60)
        yield whole, opening


def _bought(symbol: str) -> dict[str, Any]:
    price, quantity = load.SIZES[symbol]
    return a_signal(symbol=symbol, price=price, quantity=quantity)


def _at_rest(symbol: str) -> dict[str, Any]:
    price, quantity = load.SIZES[symbol]
    below = round(price * 0.9, 2)
    return a_signal(
        strategy_id="patient",
        symbol=symbol,
        order_type="limit",
        price=below,
        quantity=round(quantity * 1.3, 2) if quantity > 1 else quantity * 2,
        stop_loss=round(below * 0.9, 2),
    )


def _held(whole: Product) -> int:
    return int(whole.value("SELECT count(*) FROM trading_position WHERE is_open"))


def _resting(whole: Product) -> int:
    found = "SELECT count(*) FROM trading_order WHERE role = 'entry' AND status = 'OPEN'"
    return int(whole.value(found))


def _report(whole: Product) -> dict[str, Any]:
    rows = whole.rows("SELECT * FROM trading_stopreport")
    return rows[0] if rows else {}


def _steps(report: dict[str, Any]) -> dict[str, Any]:
    steps = report.get("steps") or {}
    return json.loads(steps) if isinstance(steps, str) else steps


def _done(whole: Product) -> int:
    steps = _steps(_report(whole)).values()
    return sum(step["outcome"] == "done" for step in steps)


def _kill_everything(whole: Product) -> None:
    whole.kill(*list(whole.running))
    whole.redis.kill()
    whole.nats.kill()
    whole.venue.kill()


def _start_everything(whole: Product) -> None:
    whole.venue.start()
    whole.redis.start()
    whole.nats.start()
    whole.start(*PROCESSES)
    whole.wait_until_ready()


def _stop(whole: Product, mode: str) -> None:
    body = {"mode": mode, "scope": "global", "reason": "drill"}
    assert whole.post("/api/v1/trading-state/", body).status == 201


def _denied(whole: Product) -> str:
    return str(whole.post("/trade", _bought("ETHUSDT")).body["code"])


def test_a_halt_is_as_it_was(desk):
    whole, _ = desk
    _stop(whole, "HALT_NEW")
    before = whole.rows(STATES)
    _kill_everything(whole)
    _start_everything(whole)

    assert whole.rows(STATES) == before
    assert _denied(whole) == "TRADING_HALTED"
    assert (_held(whole), _resting(whole)) == (len(HELD), len(RESTING))
    # Somebody watches again, and knows everything: the listener, the venue, its clock, its prices.
    whole.eventually(lambda: whole.get("/api/v1/trips").body["worst"] == "fine", 60)


@pytest.mark.parametrize(("mode", "done_before"), [("CANCEL_OPEN", 1), ("FLATTEN", 5)])
def test_the_rest_of_a_stop_is_carried_out_once(desk, tell, mode, done_before):
    whole, opening = desk
    for method in ("POST", "DELETE"):  # slow enough to be caught in the middle
        whole.venue.fault("delay", method=method, for_seconds=120, delay_ms=400)
    _stop(whole, mode)
    before = whole.rows(STATES)
    whole.eventually(lambda: _done(whole) >= done_before, 60)
    _kill_everything(whole)
    done, planned = _done(whole), _report(whole)
    _start_everything(whole)

    assert whole.rows(STATES) == before
    assert planned["finished_at"] is None, "it was over before the crash"
    assert _denied(whole) == f"TRADING_{mode}"
    whole.eventually(lambda: _report(whole)["finished_at"], 120)
    load.wait_until_settled(whole, 0, 60)
    whole.stop("signals", "beat", "worker", "exits", "userstream", "web")

    steps = _steps(_report(whole))
    assert {step["outcome"] for step in steps.values()} == {"done"}
    assert _report(whole)["ended"] == "nothing is left"
    assert _report(whole)["planned"] == planned["planned"]
    assert len(steps) == len(RESTING) + (len(HELD) if mode == "FLATTEN" else 0)
    assert _resting(whole) == 0
    sold = Counter(
        row["symbol"]
        for row in whole.rows(
            "SELECT symbol FROM trading_order WHERE role = 'exit' AND status = 'FILLED'"
        )
    )
    wanted = Counter(HELD) if mode == "FLATTEN" else Counter()
    assert sold == wanted
    ledger.assert_each_order_was_sent_once(whole)
    figures = ledger.assert_equal_books(whole, opening)
    tell(done_before_the_crash=done, steps=len(steps), **figures)
