"""Where it came and what it says of itself: either makes a signal a shadow, both need not agree."""

from __future__ import annotations

import json
import uuid

import pytest
from django.utils import timezone

from signals_app.models import Signal
from signals_app.services import intake, routing
from signals_app.services.intake import Inbound
from trading.models import Decision

pytestmark = pytest.mark.django_db
Status = Signal.Status


def store(subject: str = "", uid: str = "", source: str = "nats", **said: object) -> Signal:
    payload = {
        "strategy_id": "orderbook_skew",
        "signal_uid": uid or uuid.uuid4().hex,
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.9,
        "timestamp": timezone.now().isoformat(),
        **said,
    }
    body = json.dumps(payload).encode()
    found = intake.store(
        Inbound(source=source, body=body, received_at=timezone.now(), subject=subject)
    )
    return found.row


@pytest.mark.parametrize("mark", [True, 1, "true", "yes", {}, []])
@pytest.mark.parametrize("source", ["nats", "rest"])
def test_the_mark_on_a_subject_that_is_traded(settings, source, mark):
    where = settings.NATS_SIGNAL_SUBJECT if source == "nats" else ""
    signal = store(where, source=source, metadata={"shadow": mark})
    assert signal.status == Status.SHADOW


def test_the_mark_at_the_top(settings):
    assert store(settings.NATS_SIGNAL_SUBJECT, shadow=True).status == Status.SHADOW


def test_the_subject_without_the_mark(settings):
    assert store(settings.NATS_SHADOW_SUBJECT).status == Status.SHADOW


def test_the_mark_that_says_no_is_still_on_the_shadow_subject(settings):
    sent = store(settings.NATS_SHADOW_SUBJECT, metadata={"shadow": False})
    assert sent.status == Status.SHADOW


def test_a_subject_below_the_shadow_subject(settings):
    assert store(f"{settings.NATS_SHADOW_SUBJECT}.desk").status == Status.SHADOW


@pytest.mark.parametrize("metadata", [{}, {"shadow": False}, {"shadow": None}])
def test_without_either_it_waits_to_be_traded(settings, metadata):
    assert store(settings.NATS_SIGNAL_SUBJECT, metadata=metadata).status == Status.RECEIVED


def test_a_neighbour_of_the_shadow_subject_is_none(settings):
    assert store(f"{settings.NATS_SHADOW_SUBJECT}s").status == Status.RECEIVED


def test_what_was_said_in_shadow_first_is_not_traded_when_it_is_said_live(settings):
    first = store(settings.NATS_SHADOW_SUBJECT, uid="orderbook_skew:1")
    again = store(settings.NATS_SIGNAL_SUBJECT, uid="orderbook_skew:1")
    assert again.pk == first.pk
    routing.act_on(again.pk)
    assert not Decision.objects.exists()
