"""What leaves or protects has a queue of its own; within the other one, sweeps go first."""

from __future__ import annotations

import pytest

from petrosa_site.celery import app
from signals_app import tasks as signal_tasks
from trading import tasks as trading_tasks

pytestmark = pytest.mark.django_db


def take(name: str, count: int) -> list[str]:
    """Take tasks off the broker, as a worker would, and return their names."""
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(name)
        taken = [queue.get(timeout=60) for _ in range(count)]
        for message in taken:
            message.ack()
        queue.close()
    return [message.headers["task"] for message in taken]


def test_exits_and_protection_wait_behind_no_entry():
    signal_tasks.act_on.delay(1)
    signal_tasks.act_on_some.delay([2, 3])
    signal_tasks.act_on_exit.delay(4)
    trading_tasks.protect.delay(1)
    trading_tasks.reconcile.delay()

    assert take("exits", 3) == ["signals.exit", "trading.protect", "trading.reconcile"]
    assert take("celery", 2) == ["signals.act_on", "signals.act_on_some"]


def test_balances_overtake_signals_that_wait():
    signal_tasks.act_on.delay(1)
    trading_tasks.refresh_balances.delay()

    assert take("celery", 2) == ["trading.refresh_balances", "signals.act_on"]


def test_health_counts_what_waits_in_every_queue(client):
    signal_tasks.act_on.delay(1)
    trading_tasks.refresh_balances.delay()
    trading_tasks.protect.delay(1)

    assert client.get("/health").json()["queue_depth"] == 3
