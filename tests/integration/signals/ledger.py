"""A store of signals in a list, with verbs to make it fail."""

from __future__ import annotations

import threading

from django.db import OperationalError

from signals_app.models import Signal
from signals_app.services.intake import Inbound, Stored


class ListStore:
    """Stands in for the database: the same signal is stored once, as `intake.store_many` does."""

    def __init__(self) -> None:
        self.rows: list[Inbound] = []
        self.batches: list[int] = []
        self.enqueued: list[int] = []
        self.exits: list[int] = []
        self.poison: set[bytes] = set()
        self.is_down = False
        self.broker_is_down = False
        self.loses_an_answer = False
        self.hold = threading.Event()
        self.hold.set()

    @property
    def bodies(self) -> list[bytes]:
        return [row.body for row in self.rows]

    def go_down(self) -> None:
        self.is_down = True

    def come_back(self) -> None:
        self.is_down = False

    def lose_the_next_answer(self) -> None:
        """Commit the next batch, then break the connection before the answer is read."""
        self.loses_an_answer = True

    def refuse(self, body: bytes) -> None:
        self.poison.add(body)

    def store_many(self, inbounds: list[Inbound]) -> list[Stored]:
        self.hold.wait(30)
        if self.is_down:
            raise OperationalError("the database is away")
        for inbound in inbounds:
            if inbound.body in self.poison:
                raise ValueError("a value no column can hold")
        self.batches.append(len(inbounds))
        stored = [self._store(inbound) for inbound in inbounds]
        if self.loses_an_answer:
            self.loses_an_answer = False
            raise OperationalError("the connection broke after the commit")
        return stored

    def _store(self, inbound: Inbound) -> Stored:
        key = inbound.dedupe_key or inbound.fallback_uid
        keys = [row.dedupe_key or row.fallback_uid for row in self.rows]
        is_new = key not in keys
        if is_new:
            self.rows.append(inbound)
            keys.append(key)
        status = "rejected" if inbound.body.startswith(b"bad") else "received"
        action = next((a for a in ("close", "sell") if a.encode() in inbound.body.lower()), "buy")
        row = Signal(pk=keys.index(key) + 1, uid=key, status=status, action=action)
        return Stored(row.pk, key, status, is_new, row)

    def enqueue(self, signal_ids: list[int], are_exits: bool) -> None:
        if self.broker_is_down:
            raise ConnectionError("the broker is away")
        self.enqueued += signal_ids
        if are_exits:
            self.exits += signal_ids
