"""The listener process itself: real bus, real database, killed and stopped."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import nats
import pytest
import redis
from asgiref.sync import async_to_sync
from django.conf import settings

from signals_app import heartbeat
from signals_app.models import Signal
from tests import processes

pytestmark = pytest.mark.django_db(transaction=True)


def signal_body(number: int, **bend: object) -> bytes:
    payload = {
        "strategy_id": "listener_test",
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.8,
        "price": 50000,
        "quantity": 0.001,
        "timestamp": datetime.now(UTC).isoformat(),
        "signal_uid": f"listen-{number}",
    }
    return json.dumps(payload | bend).encode()


@async_to_sync
async def publish(subject: str, bodies: list[bytes]) -> None:
    """Publish as an outside program does: a plain client that knows the stream is there."""
    client = await nats.connect(settings.NATS_URL)
    for body in bodies:
        await client.jetstream().publish(subject, body)
    await client.close()


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def subject() -> str:
    return f"signals.test.{uuid.uuid4().hex}"


@pytest.fixture
def start(subject, tmp_path):
    """Start listeners of one durable of their own."""
    durable = f"d-{uuid.uuid4().hex}"

    def start(name: str = "listener"):
        return processes.manage(
            "listen_signals",
            log=tmp_path / f"{name}.log",
            NATS_SIGNAL_SUBJECT=subject,
            NATS_LEGACY_SUBJECT=f"{subject}.legacy",
            NATS_DURABLE=durable,
            LOG_LEVEL="INFO",
        )

    return start


def beat() -> dict:
    raw = redis.Redis.from_url(settings.REDIS_URL).get(heartbeat.KEY)
    return json.loads(raw) if raw else {}


def is_listening(process) -> bool:
    found = beat()
    return (found.get("pid"), found.get("state")) == (process.pid, "listening")


def test_signals_of_both_subjects_become_rows_and_tasks(start, subject):
    broker = redis.Redis.from_url(settings.REDIS_URL)
    queue = f"celery:{settings.CELERY_SIGNAL_PRIORITY}"
    with start() as process:
        until(lambda: is_listening(process))
        publish(subject, [signal_body(1), b"not json", signal_body(2, confidence=1.2)])
        publish(f"{subject}.legacy", [signal_body(3)])
        until(lambda: Signal.objects.count() == 4)
        until(lambda: broker.llen(queue) == 2)
    rows = {row.uid: row for row in Signal.objects.all()}
    assert rows["listen-1"].status == Signal.Status.RECEIVED
    assert rows["listen-3"].subject == f"{subject}.legacy"
    rejected = Signal.objects.filter(status=Signal.Status.REJECTED).order_by("id")
    assert [row.error_field for row in rejected] == ["body", "confidence"]


def test_a_listener_stops_cleanly_when_asked(start):
    with start() as process:
        until(lambda: is_listening(process))
        process.terminate()
        assert process.wait(60) == 0


def test_a_killed_listener_leaves_its_signals_to_the_next(start, subject):
    bodies = [signal_body(number) for number in range(200)]
    with start("first") as first:
        until(lambda: is_listening(first))
        publish(subject, [*bodies, *bodies[::10]])
        first.kill()
        first.wait()
    with start("second"), start("third"):
        until(lambda: Signal.objects.count() >= 200)
        time.sleep(1)
    assert Signal.objects.count() == 200
