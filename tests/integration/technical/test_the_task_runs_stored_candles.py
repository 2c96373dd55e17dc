"""From candles in the history to a message on the bus, through the task beat calls."""

from __future__ import annotations

import uuid

import pytest
from django.conf import settings as django_settings

from exchanges.history import store
from signals_app import tasks
from signals_app.gateways import emitter
from signals_app.services import candle_runs
from tests.fakes.candle_feed import FakeHistory
from tests.integration.technical.conftest import NOW
from tests.places import SIMULATOR


@pytest.mark.django_db
def test_a_stored_candle_becomes_a_message(only, settings):
    only("volume_surge_breakout")
    settings.NATS_SIGNAL_SUBJECT = f"signals.test.{uuid.uuid4().hex}"
    made = FakeHistory(NOW).load(
        venue=SIMULATOR,
        symbol="BTCUSDT",
        interval="15m",
        end_ms=2**62,
        last=400,
    )
    store.store(venue=SIMULATOR, symbol="BTCUSDT", interval="15m", rows=made)
    (judged,) = candle_runs.run_due(NOW)
    assert [said.subject for said in judged.said] == [settings.NATS_SIGNAL_SUBJECT]
    (again,) = emitter.publish_all(judged.said, name="test")
    assert again.duplicate


def test_beat_calls_it_every_few_seconds():
    (entry,) = [
        entry
        for entry in django_settings.CELERY_BEAT_SCHEDULE.values()
        if entry["task"] == tasks.run_technical.name
    ]
    assert float(str(entry["schedule"])) <= 5
