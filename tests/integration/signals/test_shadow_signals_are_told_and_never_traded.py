"""What a strategy in shadow says is kept with its story, and nobody acts on it."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from signals_app.models import Signal
from signals_app.services import intake, recovery, routing
from signals_app.services.intake import Inbound, NotReplayable
from trading.models import Decision

pytestmark = pytest.mark.django_db


def stored(settings, body: bytes | None = None) -> Signal:
    payload = {
        "strategy_id": "orderbook_skew",
        "signal_uid": uuid.uuid4().hex,
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.9,
        "timestamp": timezone.now().isoformat(),
    }
    inbound = Inbound(
        source="nats",
        body=body or json.dumps(payload).encode(),
        received_at=timezone.now(),
        fallback_uid=uuid.uuid4().hex,
        subject=settings.NATS_SHADOW_SUBJECT,
    )
    return intake.store(inbound).row


def test_it_is_kept_as_what_it_is_with_its_audit_row(settings):
    signal = stored(settings)
    assert signal.status == Signal.Status.SHADOW
    event = Event.objects.get(signal_uid=signal.uid)
    assert (event.kind, event.data["action"]) == ("signal.shadow", "buy")


def test_nobody_acts_on_it(settings):
    signal = stored(settings)
    routing.act_on(signal.pk)
    signal.refresh_from_db()
    assert signal.status == Signal.Status.SHADOW
    assert not Decision.objects.exists()


def test_the_sweep_leaves_it_alone(settings):
    signal = stored(settings)
    Signal.objects.update(received_at=timezone.now() - timedelta(hours=1))
    assert signal.pk not in recovery.forgotten()


def test_an_operator_cannot_send_it_again(settings):
    with pytest.raises(NotReplayable, match="in shadow"):
        intake.replay(stored(settings), actor="ann", now=timezone.now())


def test_what_is_not_understood_is_refused_as_ever(settings):
    assert stored(settings, b"{}").status == Signal.Status.REJECTED
