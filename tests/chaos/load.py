"""A thousand signals from an outside NATS client, and what they came to."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

import nats
from nats.errors import Error as NatsError

from tests.product import Product, a_signal

# Small sizes: about twelve quote units each, so a thousand of them fit into the account.
SIZES = {
    "ETHUSDT": (2990, 0.004),
    "SOLUSDT": (150, 0.08),
    "XRPUSDT": (0.6, 20),
    "ADAUSDT": (0.45, 27),
    "LINKUSDT": (14, 0.9),
    "LTCUSDT": (85, 0.15),
    "DOTUSDT": (4.5, 2.7),
    "AVAXUSDT": (22, 0.6),
}
ACCOUNT: dict[str, Any] = {
    "MAX_OPEN_POSITIONS": "100",
    "MAX_POSITION_NOTIONAL": "0",
    "MAX_ORDERS_PER_SECOND": "0",
    "MAX_ORDERS_PER_MINUTE": "0",
    "MAX_ORDERS_PER_DAY": "0",
    "MAX_REPEATS": "0",
    "MAX_LOSS_COOLDOWN": "0",
    "MAX_OPEN_POSITIONS_TOTAL": "0",
    "SIGNAL_MAX_AGE_SECONDS": "600",
    "LOG_LEVEL": "WARNING",
    "API_RATE": "100000/min",
    "API_TRADE_RATE": "100000/min",
}


def signals(count: int, mark: str) -> list[dict[str, Any]]:
    """Make `count` different market buys over several symbols."""
    shapes = list(SIZES.items())
    made = []
    for number in range(count):
        symbol, (price, quantity) = shapes[number % len(shapes)]
        made.append(
            a_signal(
                strategy_id=mark,
                symbol=symbol,
                price=price,
                quantity=quantity,
                signal_uid=f"{mark}-{number:04d}",
            )
        )
    return made


class Sender(threading.Thread):
    """An outside program that publishes at a steady pace, every tenth signal twice.

    Half of the repeats come under another Nats-Msg-Id, so that the bus cannot know them. A bus
    that is away is waited for: what was not acknowledged is published again, as JetStream asks.
    """

    def __init__(self, url: str, payloads: list[dict[str, Any]], per_second: float) -> None:
        super().__init__(name="outside sender", daemon=True)
        self.url = url
        self.payloads = payloads
        self.pause = 1 / per_second
        self.sent = 0
        self.repeated = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._send_all())
        except BaseException as error:
            self.error = error
            raise

    def finish(self, seconds: float = 120) -> None:
        self.join(seconds)
        assert not self.is_alive(), f"still sending after {self.sent}"
        assert self.error is None, self.error

    async def _send_all(self) -> None:
        client = await nats.connect(
            self.url, max_reconnect_attempts=-1, reconnect_time_wait=0.2, error_cb=_expected
        )
        stream = client.jetstream()
        for number, payload in enumerate(self.payloads):
            await self._publish(stream, payload, f"id-{payload['signal_uid']}")
            self.sent += 1
            if number % 10 == 0:
                again = "" if number % 20 else "-again"
                await self._publish(stream, payload, f"id-{payload['signal_uid']}{again}")
                self.repeated += 1
            await asyncio.sleep(self.pause)
        await client.close()

    async def _publish(self, stream: Any, payload: dict[str, Any], message_id: str) -> None:
        data = json.dumps(payload).encode()
        while True:
            try:
                await stream.publish(
                    "signals.trading", data, timeout=2, headers={"Nats-Msg-Id": message_id}
                )
            except (NatsError, OSError):
                await asyncio.sleep(0.2)
            else:
                return


async def _expected(_error: Exception) -> None:
    """A bus that is killed makes its clients complain; what was not taken is published again."""


def wait_until_settled(product: Product, count: int, seconds: float) -> None:
    """Return when every signal has an outcome, no order's outcome is open and all is protected."""
    product.eventually(lambda: _is_settled(product, count), seconds)


def _is_settled(product: Product, count: int) -> bool:
    return (
        product.value("SELECT count(*) FROM signals_app_signal WHERE status <> 'received'") >= count
        and not product.value(
            "SELECT count(*) FROM trading_order WHERE status IN ('NEW', 'SUBMITTING')"
            " OR fills_missing"
        )
        and not product.value(
            "SELECT count(*) FROM trading_position WHERE is_open AND naked_since IS NOT NULL"
        )
    )


def entries(product: Product, uids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the entry orders of each signal."""
    found: dict[str, list[dict[str, Any]]] = {uid: [] for uid in uids}
    for order in product.rows("SELECT * FROM trading_order WHERE role = 'entry'"):
        found[order["signal_uid"]].append(order)
    return found


def assert_each_signal_has_one_outcome(
    product: Product, payloads: list[dict[str, Any]]
) -> Counter[str]:
    """One row per signal, at most one entry each, and a reason for every one without a fill."""
    uids = [p["signal_uid"] for p in payloads]
    rows = product.rows(
        "SELECT s.uid, s.status, d.code FROM signals_app_signal s"
        " LEFT JOIN trading_decision d ON d.id = s.decision_id"
    )
    assert sorted(r["uid"] for r in rows) == sorted(uids)
    by_signal = entries(product, uids)
    outcomes: Counter[str] = Counter()
    for row in rows:
        orders = by_signal[row["uid"]]
        if row["status"] == "denied":
            assert row["code"]
            assert not orders
            outcomes[row["code"]] += 1
            continue
        assert row["status"] == "routed", row
        assert len(orders) == 1, row
        [order] = orders
        assert order["status"] in ("FILLED", "NOT_PLACED", "REJECTED"), order
        assert order["status"] == "FILLED" or order["reason"], order
        outcomes[order["status"]] += 1
    return outcomes
