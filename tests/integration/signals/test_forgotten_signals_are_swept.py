"""Signals nobody acted on are found again, and not over and over."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from signals_app.models import Signal
from signals_app.services import intake, recovery

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting() -> Signal:
    """A signal that was stored a while ago and that nobody has acted on."""
    payload = {"strategy_id": "test", "symbol": "BTCUSDT", "action": "buy", "confidence": 0.8}
    at = timezone.now() - 2 * recovery.FORGOTTEN_AFTER
    body = json.dumps(payload).encode()
    stored = intake.store(intake.Inbound(source="test", body=body, received_at=at))
    return Signal.objects.get(pk=stored.signal_id)


def test_it_is_found(waiting):
    assert recovery.forgotten() == [waiting.pk]


def test_while_workers_are_behind_it_is_not_found_again(waiting):
    recovery.note_enqueued(waiting.pk)
    assert recovery.forgotten() == []


def test_when_its_task_was_lost_too_it_is_found_again(waiting):
    recovery.note_enqueued(waiting.pk)
    earlier = timezone.now() - recovery.ASKED_AGAIN_AFTER - timedelta(seconds=1)
    Signal.objects.update(enqueued_at=earlier)
    assert recovery.forgotten() == [waiting.pk]


def test_a_fresh_one_and_one_acted_on_are_left_alone(waiting):
    Signal.objects.update(received_at=timezone.now())
    assert recovery.forgotten() == []
    Signal.objects.update(
        received_at=timezone.now() - timedelta(hours=1), status=Signal.Status.DENIED
    )
    assert recovery.forgotten() == []


@pytest.fixture
def waiting_exit(waiting: Signal) -> Signal:
    """Stored just long enough ago for an exit to count as forgotten."""
    at = timezone.now() - recovery.EXIT_FORGOTTEN_AFTER - timedelta(milliseconds=100)
    Signal.objects.update(action="close", received_at=at)
    return waiting


def test_an_exit_is_found_after_a_second_and_only_by_its_own_sweep(waiting_exit):
    assert recovery.forgotten_exits() == [waiting_exit.pk]
    assert recovery.forgotten() == []


def test_an_entry_is_no_forgotten_exit(waiting):
    assert recovery.forgotten_exits() == []


def test_an_exit_whose_task_was_lost_is_found_again_two_seconds_later(waiting_exit):
    recovery.note_enqueued(waiting_exit.pk)
    assert recovery.forgotten_exits() == []
    Signal.objects.update(enqueued_at=timezone.now() - timedelta(seconds=2.1))
    assert recovery.forgotten_exits() == [waiting_exit.pk]
