"""One running product, one venue with faults, and everything a drill does to both.

It publishes signals as an outside program, reads the venue's diary as it grows, and kills and
starts processes by their Procfile names: those that the Procfile has.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import nats
from nats.errors import Error as NatsError

from exchanges.venues.simulator.instruments import listings
from tests.chaos import load, storm
from tests.chaos.referee import Guarded, Sent, Walk
from tests.product import COMMANDS, Product, a_signal, product

WANTED = ("userstream", "market", "web", "worker", "exits", "guard", "standby", "beat", "signals")
PROCESSES = tuple(name for name in WANTED if name in COMMANDS)
SYMBOLS = tuple(s for s in listings() if s.endswith("USDT"))
WORTH = 60  # quote units of one entry, about
SIGNAL = "chaos-"  # how the ids of signals begin
AWAY_SECONDS = 0.5  # what a supervisor takes to notice and to start it again
SETTINGS: dict[str, Any] = {
    **storm.SETTINGS,
    **{name: str(value) for name, value in load.ACCOUNT.items()},
    "MAX_OPEN_POSITIONS": "1000",
    "MAX_SYMBOL_EXPOSURE": "0",
    "MAX_GROSS_EXPOSURE": "0",
    "MAX_NET_EXPOSURE": "0",
    "MAX_PRICE_DEVIATION_BPS": "0",
    "MAX_SLIPPAGE_BPS": "0",
    "MAX_SENDER_GAP_BPS": "0",
    "MAX_SPREAD_BPS": "0",
    "MAX_VENUE_LATENCY_MS": "0",
    "ONE_SYMBOL_PER_ACCOUNT": "false",
    "DAILY_LOSS_WARN_PCT": "0",
    "DAILY_LOSS_REDUCE_PCT": "0",
    "DAILY_LOSS_FLATTEN_PCT": "0",
    "WEEKLY_LOSS_WARN_PCT": "0",
    "WEEKLY_LOSS_REDUCE_PCT": "0",
    "WEEKLY_LOSS_FLATTEN_PCT": "0",
    "DRAWDOWN_WARN_PCT": "0",
    "DRAWDOWN_REDUCE_PCT": "0",
    "DRAWDOWN_FLATTEN_PCT": "0",
    "TRADING_SYMBOLS": ",".join(SYMBOLS),
    "SIGNAL_MAX_AGE_SECONDS": "300",
}
VENUE = ("--balance", "USDT=10000000", "--balance", "BNB=0")
OUTCOMES = """
SELECT s.uid, s.status, o.status AS order_status FROM signals_app_signal s
LEFT JOIN trading_order o ON o.signal_uid = s.uid AND o.role = 'entry'
"""
REFUSED = ("denied", "rejected")
NOT_THERE = ("NOT_PLACED", "REJECTED", "CANCELED", "DENIED", "EXPIRED")


class Bus:
    """A NATS client on a thread of its own, so that a drill can publish between other steps."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bus", daemon=True)
        self._thread.start()
        self._client = self._wait(nats.connect(url, max_reconnect_attempts=-1))
        self._stream = self._client.jetstream()

    def publish(self, payload: dict[str, Any]) -> None:
        """Return when the bus has taken it, however often that must be tried."""
        self._wait(self._persistently(json.dumps(payload).encode(), payload["signal_uid"]))

    def close(self) -> None:
        self._wait(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _persistently(self, data: bytes, name: str) -> None:
        for _ in range(600):
            try:
                await self._stream.publish(
                    "signals.trading", data, timeout=2, headers={"Nats-Msg-Id": name}
                )
            except (NatsError, OSError):
                await asyncio.sleep(0.1)
            else:
                return
        raise AssertionError("the bus takes no signals")

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)


@dataclass
class Bench:
    """`rows` is the diary so far, `sent` what was asked for, `live` what is held right now."""

    product: Product
    bus: Bus
    rows: list[dict[str, Any]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    live: Walk = field(default_factory=Walk)
    loads: list[float] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _steps: dict[str, Iterator[int]] = field(default_factory=dict)

    # ---- signals ----------------------------------------------------------------------------

    def buy(self, symbol: str, *, limit: bool = False, owner: str = "", **more: Any) -> Sent:
        """Send an entry with a stop 4 % below and a target 6 % above, of an amount of its own."""
        price, quantity = price_of(symbol), self._amount(symbol)
        wish = {
            "price": price,
            "quantity": quantity,
            "stop_loss": on_tick(symbol, price * Decimal("0.96")),
            "take_profit": on_tick(symbol, price * Decimal("1.06")),
            **more,
        }
        if limit:
            wish |= {"order_type": "limit", "time_in_force": "GTC"}
            wish["price"] = on_tick(symbol, price * Decimal("1.002"))
        return self._send(symbol, "buy", wish, quantity, owner)

    def close(self, symbol: str, *, owner: str = "") -> Sent:
        return self._send(symbol, "close", {"price": price_of(symbol)}, None, owner)

    def reduce(self, symbol: str, quantity: Decimal, *, owner: str = "") -> Sent:
        wish = {"price": price_of(symbol), "quantity": quantity}
        return self._send(symbol, "sell", wish, quantity, owner)

    def expect_sale(self, symbol: str, why: str, *, owner: str = "") -> None:
        """Note that everything has to be sold from now on though no signal says so."""
        uid = f"{why}-{next(self._numbers)}"
        self.sent.append(Sent(uid, now_ms(), symbol, closes=True, owner=owner))

    def _send(
        self, symbol: str, action: str, wish: dict[str, Any], size: Decimal | None, owner: str
    ) -> Sent:
        uid = f"{SIGNAL}{next(self._numbers):06}"
        said = {name: float(v) if isinstance(v, Decimal) else v for name, v in wish.items()}
        said = {"quantity": None, "strategy_id": strategy_of(owner), **said}
        payload = a_signal(symbol=symbol, action=action, signal_uid=uid, **said)
        sent = Sent(uid, now_ms(), symbol, size, closes=action != "buy", owner=owner)
        self.sent.append(sent)
        self.bus.publish(payload)
        return sent

    def _amount(self, symbol: str) -> Decimal:
        """Return about WORTH in base units; no two entries of a symbol are of the same amount."""
        step = listings()[symbol].step
        number = next(self._steps.setdefault(symbol, count(1)))
        return on_lot(symbol, Decimal(WORTH) / price_of(symbol)) + step * number

    # ---- looking ------------------------------------------------------------------------------

    def look(self) -> None:
        """Read what the venue has written since."""
        after = self.rows[-1]["n"] if self.rows else 0
        while fresh := self.product.venue.control(f"events?after={after}"):
            for row in fresh:
                self.live.step(row)
            self.rows += fresh
            after = fresh[-1]["n"]

    def until(self, seen: Callable[[], bool], seconds: float, pause: float = 0.1) -> bool:
        """Look until something is so; False when it was not within the time."""
        deadline = time.monotonic() + seconds
        while True:
            self.look()
            if seen():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)

    def is_flat(self, symbol: str) -> bool:
        return not self.live.held(symbol)

    def is_safe(self, symbol: str) -> bool:
        """Say whether a symbol is held and wholly covered."""
        return bool(self.live.held(symbol)) and self.live.is_covered(symbol)

    def settle(self, seconds: float = 180) -> bool:
        """Wait until every signal was acted on and no order is on its way."""
        return self.until(self._is_settled, seconds, pause=0.5)

    def _is_settled(self) -> bool:
        acted_on = self.product.rows(
            "SELECT uid FROM signals_app_signal WHERE status <> 'received'"
        )
        by_signal = {s.uid for s in self.sent if s.uid.startswith(SIGNAL)}
        if by_signal - {row["uid"] for row in acted_on}:
            return False
        open_ends = "SELECT count(*) FROM trading_order WHERE status IN ('NEW', 'SUBMITTING')"
        return not self.product.value(open_ends)

    def outcomes(self) -> dict[str, str]:
        """Return what the product has recorded of each signal that came to no order there."""
        told = {}
        for row in self.product.rows(OUTCOMES):
            if row["status"] in REFUSED:
                told[row["uid"]] = row["status"]
            elif row["order_status"] in NOT_THERE:
                told[row["uid"]] = row["order_status"]
        return told

    def is_decided(self, uid: str) -> bool:
        """Say whether a signal was refused, or its entry order has come to its end."""
        rows = self.product.rows(OUTCOMES + "WHERE s.uid = ?", uid)
        over = (*NOT_THERE, "FILLED")
        return any(r["status"] in REFUSED or r["order_status"] in over for r in rows)

    def owners(self) -> dict[str, str]:
        """Return whose each order is, by the product's books."""
        rows = self.product.rows(
            "SELECT o.client_order_id, a.name FROM trading_order o"
            " JOIN trading_virtualaccount a ON a.id = o.account_id"
        )
        return {row["client_order_id"]: row["name"] for row in rows}

    def guarded(self, *, by_owner: bool = False) -> list[Guarded]:
        """Return when positions were guarded by a process of ours, by the product's trail."""
        rows = self.product.rows(
            "SELECT at, kind, data FROM audit_event"
            " WHERE kind IN ('position.guarded', 'position.unguarded') ORDER BY id"
        )
        begun: dict[tuple[str, str], int] = {}
        watched = []
        for row in rows:
            data = row["data"] if isinstance(row["data"], dict) else json.loads(row["data"])
            place = data["symbol"], str(data.get("account", "")) if by_owner else ""
            at_ms = _ms(row["at"])
            if row["kind"] == "position.guarded":
                begun.setdefault(place, at_ms)
            elif place in begun:
                watched.append(Guarded(place[0], begun.pop(place), at_ms, place[1]))
        return watched + [Guarded(s, at, None, owner) for (s, owner), at in begun.items()]

    # ---- doing --------------------------------------------------------------------------------

    def control(self, path: str, wish: dict[str, Any]) -> Any:
        """Do something to the venue; what it does not like is an error with its words."""
        try:
            return self.product.venue.control(path, wish)
        except HTTPError as error:
            raise AssertionError(f"{path} {wish}: {error.read().decode()}") from error

    def price(self, symbol: str, price: Decimal) -> None:
        wish = {"symbol": symbol, "price": str(on_tick(symbol, price))}
        self.control("price", wish)

    def fault(self, wish: dict[str, Any]) -> None:
        self.control("faults", wish)

    def calm(self) -> None:
        """End every fault and bring back every price."""
        self.product.venue.control("faults", method="DELETE")
        for symbol in SYMBOLS:
            self.price(symbol, price_of(symbol))

    def kill(self, *names: str) -> None:
        """Kill processes and start them again as a supervisor does; those the Procfile has."""
        there = [name for name in names if name in self.product.running]
        self.product.kill(*there)
        time.sleep(AWAY_SECONDS)
        self.product.start(*there)

    def note_load(self) -> None:
        self.loads.append(os.getloadavg()[0])


@contextmanager
def bench(folder: Path, **settings: str) -> Iterator[Bench]:
    """Bring up the whole product on a venue that keeps still, with no limit in the way."""
    with product(folder, venue_arguments=VENUE, **(SETTINGS | settings)) as whole:
        whole.start(*PROCESSES)
        whole.wait_until_ready()
        bus = Bus(whole.nats.url)
        try:
            yield Bench(whole, bus)
        finally:
            bus.close()


def price_of(symbol: str) -> Decimal:
    return listings()[symbol].start


def on_tick(symbol: str, price: Decimal) -> Decimal:
    tick = listings()[symbol].tick
    return price // tick * tick


def on_lot(symbol: str, amount: Decimal) -> Decimal:
    step = listings()[symbol].step
    return amount // step * step


def strategy_of(owner: str) -> str:
    return storm.strategy_of(owner) if owner else "outsider"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _ms(at: datetime | str) -> int:
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
