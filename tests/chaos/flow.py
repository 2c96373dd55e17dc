"""Signals on their way through the whole product while something of it is being hurt."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.chaos import ledger, load
from tests.product import PROCESSES, Product, product

RINGS_WITHIN_SECONDS = 15.0  # the grace, the watch's pace, and time for a dead part to return
STOP_ORDER = ("signals", "beat", "worker", "exits", "market", "userstream", "web")


@dataclass
class Flow:
    """`payloads` are all signals that were sent, by whatever road; `opening` the first balances."""

    product: Product
    payloads: list[dict[str, Any]]
    sender: load.Sender
    opening: dict[str, Decimal]
    started: float

    def reach(self, share: float, seconds: float = 120) -> None:
        """Return when that share of the sender's signals has been decided."""
        wanted = share * len(self.sender.payloads)
        self.product.eventually(lambda: self.decided() >= wanted, seconds)

    def decided(self) -> int:
        decided = "SELECT count(*) FROM signals_app_signal WHERE status <> 'received'"
        return int(self.product.value(decided))

    def settle(self, seconds: float = 120) -> dict[str, Any]:
        """Let everything come to rest, stop the product and prove its books; return the figures.

        One row and one outcome per signal, no order sent twice, our books equal to the venue's,
        and an alarm for every position that was without cover for long.
        """
        self.sender.finish()
        load.wait_until_settled(self.product, len(self.payloads), seconds)
        took = time.monotonic() - self.started
        self.product.stop(*STOP_ORDER)
        outcomes = load.assert_each_signal_has_one_outcome(self.product, self.payloads)
        ledger.assert_each_order_was_sent_once(self.product)
        books = ledger.assert_equal_books(self.product, self.opening)
        ledger.assert_long_spells_rang(self.product, RINGS_WITHIN_SECONDS)
        spells = [spell.seconds for spell in ledger.unprotected_spells(self.product)]
        told = "SELECT count(*) FROM audit_event WHERE kind = ?"
        return {
            "seconds": f"{took:.1f}",
            "longest_unprotected_s": f"{max(spells, default=0.0):.1f}",
            "repeats_sent": self.sender.repeated,
            "repeats_seen": self.product.value(told, "signal.repeated"),
            "orders_unknown_meanwhile": self.product.value(told, "order.unknown"),
            "orders_put_back": self.product.value(told, "order.not_sent"),
            **books,
            **outcomes,
        }


@contextmanager
def under_way(
    folder: Path, mark: str, count: int, *, per_second: float = 20, **settings: str
) -> Iterator[Flow]:
    """Run the whole product and an outside sender that begins to publish `count` signals."""
    payloads = load.signals(count, mark)
    with product(folder, **(load.ACCOUNT | settings)) as whole:
        opening = ledger.balances(whole.venue.control("ledger"))
        whole.start(*PROCESSES)
        whole.wait_until_ready()
        sender = load.Sender(whole.nats.url, payloads, per_second)
        sender.start()
        yield Flow(whole, list(payloads), sender, opening, time.monotonic())
