"""On PostgreSQL: no lock is held for ever, exits are first in line, and who holds one is named."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection

from tests.integration.trading.test_the_last_slot_goes_to_one import (
    account,  # noqa: F401
    coin,
    look_at,
    venue,  # noqa: F401
    wait_long_for_locks,
    wish,
)
from trading.domain.circuit_breakers import State
from trading.domain.intents import IntentKind
from trading.models import Decision, VirtualAccount
from trading.services.control import circuit_breakers
from trading.services.orders import decisions

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(settings.USES_SQLITE, reason="SQLite has one writer and no row locks"),
]


@contextmanager
def another(held: VirtualAccount, **server: str) -> Iterator[psycopg.Connection]:
    """Hold the account's lock as a process of ours would, in a transaction left open.

    `server`: settings that differ from those the product connects with.
    """
    given = connection.get_connection_params()
    given = {k: v for k, v in given.items() if k not in ("cursor_factory", "context")}
    words = " ".join(f"-c {name}={value}" for name, value in server.items())
    options = f"{given['options']} {words}"
    other = psycopg.connect(**given | {"options": options, "application_name": "a lost host"})
    try:
        other.execute("SELECT 1 FROM trading_virtualaccount WHERE id = %s FOR NO KEY UPDATE",
                      [held.pk])  # fmt: skip
        yield other
    finally:
        other.close()


def decide(where: VirtualAccount, number: int = 0, kind: IntentKind = IntentKind.OPEN_LONG):
    instrument = coin(number)
    intent = replace(wish(number, instrument.symbol, "1"), kind=kind)
    return decisions.decide(intent=intent, account_id=where.pk, market=look_at(instrument)).decision


def test_a_connection_brings_every_timeout(account):  # noqa: F811
    def shown(name: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW {name}")
            return str(cursor.fetchone()[0])

    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    assert [shown(name) for name in names] == ["5s", "1min", "10s"]
    assert shown("client_connection_check_interval") == "6s"


def test_a_holder_that_says_nothing_more_is_ended_and_trading_goes_on(account):  # noqa: F811
    """With the product's own timeouts: the first tries give up, then the holder is gone."""
    failed, decision = 0, None
    with another(account):
        started = time.monotonic()
        while decision is None:
            try:
                decision = decide(account)
            except OperationalError:
                failed += 1
        took = time.monotonic() - started

    assert decision.approved
    assert failed <= 2
    assert took < 13, f"{took:.1f} s"


def test_a_wait_for_a_held_lock_ends_by_itself(account):  # noqa: F811
    with another(account, idle_in_transaction_session_timeout="0"):
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")
        started = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            decide(account)
        took = time.monotonic() - started
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")

    assert 0.4 < took < 3
    assert not Decision.objects.exists()


def test_an_exit_waits_for_one_entry_at_most(account):  # noqa: F811
    """Thirty entries wait for the account when the exit comes; it is decided first or second."""
    begun = threading.Barrier(31)

    def one(number: int, kind: IntentKind = IntentKind.OPEN_LONG) -> None:
        try:
            wait_long_for_locks()
            if kind is IntentKind.OPEN_LONG:
                begun.wait(60)
            decide(account, number, kind)
        finally:
            connection.close()

    with ThreadPoolExecutor(31) as pool, another(account) as held:
        entries = [pool.submit(one, number) for number in range(30)]
        begun.wait(60)
        time.sleep(1)  # all of them are waiting by then
        leaving = pool.submit(one, 99, IntentKind.CLOSE)
        time.sleep(0.5)
        held.rollback()
        for waiting in (*entries, leaving):
            waiting.result(60)

    order = list(Decision.objects.order_by("pk").values_list("kind", flat=True))
    assert order.index("close") <= 1, order
    assert len(order) == 31


class TestTheBreaker:
    @pytest.fixture
    def waiting(self, account):  # noqa: F811
        """A decision that waits for a transaction which has been open for a second."""

        def wait() -> None:
            try:
                decide(account)
            finally:
                connection.close()

        with another(account, idle_in_transaction_session_timeout="0") as held:
            time.sleep(1)
            thread = threading.Thread(target=wait)
            thread.start()
            time.sleep(0.5)
            yield held.info.backend_pid
            held.rollback()
            thread.join()

    def found(self):
        return next(f for f in circuit_breakers.find() if f.name == "lock-waits")

    def test_it_trips_and_names_who_holds_the_lock(self, waiting, settings):
        settings.TRIP_LOCK_WAIT_SECONDS = Decimal(1)
        finding = self.found()

        assert finding.state is State.TRIPPED
        assert f"backend {waiting} (a lost host" in finding.actual
        assert "idle in transaction" in finding.actual
        assert "pg_terminate_backend" in finding.what_to_do

    def test_a_short_wait_is_fine_and_shown(self, waiting, settings):
        settings.TRIP_LOCK_WAIT_SECONDS = Decimal(15)

        assert self.found().state is State.FINE
        assert f"backend {waiting}" in self.found().actual

    def test_nothing_waits(self, account):  # noqa: F811
        finding = self.found()

        assert (finding.state, finding.actual) == (State.FINE, "nothing waits")
