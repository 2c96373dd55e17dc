"""Off and shadow bind every door, whoever says the strategy's name; exits are always allowed."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.utils import timezone

from audit.models import Event
from signals_app.models import Signal, StrategySetting
from signals_app.services import intake, routing, strategy_settings
from signals_app.services.intake import Inbound
from signals_app.services.strategy_settings import Mode, Wish
from tests.integration.api.conftest import signal, trade
from trading.models import Decision, Order, Position

OURS = "golden_cross"


def put(mode: Mode, strategy_id: str = OURS) -> None:
    strategy_settings.change(
        strategy_id=strategy_id, wish=Wish(mode=mode), reason="test", actor="ann"
    )


def published(subject: str, **changes: object) -> routing.Outcome:
    """What becomes of a signal that somebody publishes on NATS."""
    body = json.dumps(signal(strategy_id=OURS, **changes)).encode()
    stored = intake.store(
        Inbound(source="nats", body=body, received_at=timezone.now(), subject=subject)
    )
    return routing.act_on(stored.signal_id)


def test_off_is_denied_over_rest(trader):
    put(Mode.OFF)
    answer = trade(trader, strategy_id=OURS)
    assert answer.status_code == 400
    assert answer.json()["code"] == "STRATEGY_OFF"
    assert f"{OURS} is off" in answer.json()["detail"]
    assert "Our strategies" in answer.json()["detail"]
    assert not Order.objects.exists()


@pytest.mark.parametrize("subject", ["NATS_SIGNAL_SUBJECT", "NATS_LEGACY_SUBJECT"])
def test_off_is_denied_over_nats(exchange, settings, subject):
    put(Mode.OFF)
    outcome = published(getattr(settings, subject))
    assert (outcome.signal.status, outcome.signal.error_code) == ("denied", "STRATEGY_OFF")
    assert not Decision.objects.exists()
    assert Event.objects.get(kind="signal.denied").data["code"] == "STRATEGY_OFF"


def test_shadow_is_stored_and_not_traded(trader, settings):
    put(Mode.SHADOW)
    answer = trade(trader, strategy_id=OURS)
    assert (answer.status_code, answer.json()["code"]) == (409, "SHADOW")
    assert published(settings.NATS_SIGNAL_SUBJECT).signal.status == Signal.Status.SHADOW
    assert Event.objects.filter(kind="signal.shadow").count() == 2
    assert not Decision.objects.exists()


def test_live_is_traded(trader):
    put(Mode.LIVE)
    assert trade(trader, strategy_id=OURS).status_code == 200


def test_a_strategy_of_others_is_traded(trader):
    assert trade(trader, strategy_id="somebody_elses").status_code == 200


def test_settings_that_cannot_be_read_are_off(trader):
    put(Mode.LIVE)
    row = StrategySetting.objects.get(strategy_id=OURS)
    row.params = {next(iter(strategy_settings.of(OURS).params)): "nonsense"}
    row.save()
    assert trade(trader, strategy_id=OURS).json()["code"] == "STRATEGY_OFF"


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW])
@pytest.mark.parametrize("action", ["sell", "close"])
def test_what_is_held_may_leave(trader, mode, action):
    put(Mode.LIVE)
    assert trade(trader, strategy_id=OURS).status_code == 200
    put(mode)
    answer = trade(trader, strategy_id=OURS, action=action, quantity=None, stop_loss=None)
    assert answer.status_code == 200, answer.json()
    assert Position.objects.get().quantity < Decimal("0.00001")  # what no order can sell


@pytest.mark.parametrize(
    ("mode", "code"), [(Mode.OFF, "STRATEGY_OFF"), (Mode.SHADOW, "STRATEGY_SHADOW")]
)
def test_a_preview_says_so(trader, mode, code):
    put(mode)
    body = json.dumps(signal(strategy_id=OURS))
    answer = trader.post("/api/v1/decisions/preview", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert OURS in answer.json()["detail"]
    assert not Signal.objects.exists()
