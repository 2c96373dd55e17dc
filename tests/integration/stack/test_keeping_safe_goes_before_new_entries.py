from __future__ import annotations

import pytest

from petrosa_site.celery import app
from signals_app import tasks as signal_tasks
from trading import tasks as trading_tasks

pytestmark = pytest.mark.django_db


WAITING = ["signals.act_on", "signals.act_on", "signals.act_on_some"]


def take(count: int) -> list[str]:
    """Take tasks off the broker, as a worker would, and return their names."""
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(app.amqp.queues["celery"])  # type: ignore[arg-type]
        taken = [queue.get(timeout=5) for _ in range(count)]
        for message in taken:
            message.ack()
        queue.close()
    return [message.headers["task"] for message in taken]


def test_protection_overtakes_signals_that_wait():
    for signal_id in (1, 2):
        signal_tasks.act_on.delay(signal_id)
    signal_tasks.act_on_some.delay([3, 4])
    trading_tasks.protect.delay(1)
    trading_tasks.reconcile.delay()

    assert take(5) == ["trading.protect", "trading.reconcile", *WAITING]


def test_health_counts_both_kinds_as_waiting(client):
    signal_tasks.act_on.delay(1)
    trading_tasks.protect.delay(1)

    assert client.get("/health").json()["queue_depth"] == 2
