"""Nothing that enters, and no slow answer of the venue, holds up what leaves."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.product import PROCESSES, Product, a_signal, product

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SETTINGS: dict[str, Any] = {
    "MAX_OPEN_POSITIONS": "100",
    "MAX_OPEN_POSITIONS_TOTAL": "100",
    "MAX_POSITION_NOTIONAL": "0",
    "MAX_ORDERS_PER_SECOND": "0",
    "MAX_ORDERS_PER_MINUTE": "0",
    "MAX_ORDERS_PER_DAY": "0",
    "MAX_REPEATS": "0",
    "MAX_LOSS_COOLDOWN": "0",
    "MAX_VENUE_LATENCY_MS": "0",
    "TRIP_VENUE_ERROR_PCT": "0",
    "MAX_LATENCY_MS": "60000",
    "PROTECTION_GRACE_SECONDS": "60",
}
SLOW = {"method": "POST", "delay_ms": 12_000}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("lanes")
    with product(folder, venue_arguments=("--unlimited",), **SETTINGS) as made:
        made.start(*PROCESSES)
        made.wait_until_ready()
        yield made


@pytest.fixture(autouse=True)
def no_faults(whole: Product) -> Iterator[None]:
    yield
    whole.venue.control("faults", method="DELETE")


def hold(whole: Product, symbol: str, quantity: float) -> None:
    """Buy, and wait until the venue has its stop."""
    whole.publish(a_signal(symbol=symbol, quantity=quantity, price=None))
    whole.eventually(
        lambda: whole.rows(
            "SELECT 1 FROM trading_order WHERE symbol=? AND role='stop_loss' AND status='OPEN'",
            symbol,
        )
    )


def seconds_to_sell(whole: Product, symbol: str = "BTCUSDT", **changes: object) -> float:
    """Publish a close and return how long after it the venue had sold."""
    close = a_signal(symbol=symbol, action="close", quantity=None, price=None, **changes)
    started = time.time()
    whole.publish(close)
    sold = whole.eventually(lambda: sold_at(whole, str(close["signal_uid"])), 90)
    return sold - started


def sold_at(whole: Product, uid: str) -> float:
    """Return when the venue sold what the close asked for; 0 while it has not."""
    rows = whole.rows(
        "SELECT f.traded_at AS at FROM trading_fill f JOIN trading_order o ON o.id = f.order_id "
        "WHERE o.role='exit' AND o.signal_uid=? ORDER BY f.traded_at DESC LIMIT 1",
        uid,
    )
    return _seconds(rows[0]["at"]) if rows else 0.0


def _seconds(at: str | datetime) -> float:
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(f"{at}+00:00")
    return moment.timestamp()


def test_slow_answers_to_entries_delay_no_close(whole: Product, tell) -> None:
    hold(whole, "BTCUSDT", 0.01)
    quiet = seconds_to_sell(whole)
    hold(whole, "BTCUSDT", 0.01)
    whole.venue.fault("delay", symbol="ETHUSDT", path="/api/v3/order", count=8, **SLOW)
    whole.publish(*(a_signal(symbol="ETHUSDT", quantity=0.01, price=None) for _ in range(8)))
    time.sleep(1)
    busy = seconds_to_sell(whole)
    tell(quiet=round(quiet, 2), busy=round(busy, 2))
    assert busy <= quiet + 1


def test_slow_answers_to_protection_delay_no_close(whole: Product, tell) -> None:
    hold(whole, "BTCUSDT", 0.01)
    for symbol in ("ETHUSDT", "BNBUSDT"):
        whole.venue.fault("delay", symbol=symbol, path="/api/v3/orderList/oco", count=4, **SLOW)
        whole.venue.fault("delay", symbol=symbol, path="/api/v3/order", count=4, **SLOW)
        whole.publish(a_signal(symbol=symbol, quantity=0.1, price=None))
    time.sleep(3)
    busy = seconds_to_sell(whole)
    tell(busy=round(busy, 2))
    assert busy <= 1.5


def test_an_exit_in_the_hands_of_a_killed_worker_is_sold(whole: Product, tell) -> None:
    whole.start("exits2")
    whole.eventually(lambda: "ready" in whole.log("exits2"))
    hold(whole, "BTCUSDT", 0.01)
    whole.venue.fault(
        "slow_arrival", symbol="BTCUSDT", method="DELETE", delay_before_ms=1500, count=1
    )
    other = whole.running["exits2"]
    other.send_signal(signal.SIGSTOP)
    time.sleep(1.5)  # what it has asked of the broker runs out: the other one takes the close
    close = a_signal(action="close", quantity=None, price=None)
    whole.publish(close)
    time.sleep(0.3)
    whole.kill("exits")
    killed = time.time()
    other.send_signal(signal.SIGCONT)
    sold = whole.eventually(lambda: sold_at(whole, str(close["signal_uid"])), 60)
    tell(seconds_after_the_kill=round(sold - killed, 2))
    assert sold - killed <= 8  # usually 2 s; once decided, an exit waits for reconciliation
    whole.start("exits")


def test_a_close_overtakes_a_thousand_entries(whole: Product, tell) -> None:
    hold(whole, "BTCUSDT", 0.01)
    entries = [a_signal(symbol="ETHUSDT", quantity=0.004, price=None) for _ in range(1000)]
    whole.publish(*entries)
    took = seconds_to_sell(whole)
    waiting = whole.value("SELECT count(*) FROM signals_app_signal WHERE status='received'")
    tell(took=round(took, 2), entries_still_waiting=waiting)
    assert waiting
    # 1 to 2 s; SQLite lets one write at a time, and a busy machine makes each wait longer.
    assert took <= 8
