from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from signals_app.models import Signal
from signals_app.services import intake
from trading.models import Decision, Order, Position, TradingState
from trading.services.control import kill_switch

ATTACK = "<script>alert('x')</script><img src=x onerror=alert(1)>"
pytestmark = pytest.mark.django_db


def assert_harmless(page: str) -> None:
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert" in page


def open_row(browser, row) -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return browser.get(reverse(name, args=(row.pk,))).content.decode()


def open_list(browser, model) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return browser.get(reverse(name)).content.decode()


def test_in_the_free_text_of_a_signal(browser, send):
    outcome = send(rationale=ATTACK, metadata={"note": ATTACK, ATTACK[:90]: 1})

    assert_harmless(open_row(browser, outcome.signal))


def test_in_a_payload_that_was_refused(browser, db):
    body = json.dumps({"strategy_id": ATTACK, "symbol": ATTACK, "action": ATTACK}).encode()
    inbound = intake.Inbound(source="test", body=body, received_at=timezone.now())
    stored = intake.store(inbound)

    assert_harmless(open_row(browser, Signal.objects.get(pk=stored.signal_id)))


def test_in_every_column_of_a_signal_and_its_decision(browser, send):
    outcome = send()
    text = {"strategy_id": ATTACK[:100], "symbol": ATTACK[:32], "error_message": ATTACK}
    Signal.objects.filter(pk=outcome.signal.pk).update(**text, uid=ATTACK[:64], actor=ATTACK)
    Decision.objects.filter(pk=outcome.decision.pk).update(
        strategy_id=ATTACK[:100],
        message=ATTACK,
        code="X",
        verdicts=[{"rule": ATTACK, "message": ATTACK, "limit": ATTACK, "inputs": [[ATTACK] * 2]}],
        plan={ATTACK: ATTACK},
        market={ATTACK: {ATTACK: ATTACK}},
        arithmetic={"sizing": {ATTACK: ATTACK}, "levels": {ATTACK: ATTACK}},
        intent={ATTACK: [ATTACK]},
    )

    assert_harmless(open_row(browser, outcome.signal))
    assert_harmless(open_list(browser, Signal))
    assert_harmless(open_row(browser, outcome.decision))
    assert_harmless(open_list(browser, Decision))


def test_in_what_the_venue_says_of_an_order(browser, send):
    order = send().order
    Order.objects.filter(pk=order.pk).update(reason=ATTACK, strategy_id=ATTACK[:100])

    assert_harmless(open_row(browser, order))
    assert_harmless(open_list(browser, Order))


def test_in_an_alarm_of_a_position(browser, send):
    send()
    Position.objects.update(alarm=ATTACK, symbol=ATTACK[:32])

    assert_harmless(open_row(browser, Position.objects.get()))
    assert_harmless(open_list(browser, Position))


def test_in_the_audit_trail(browser, db):
    event = Event.objects.create(kind=ATTACK[:64], actor=ATTACK, data={ATTACK: [ATTACK]})

    assert_harmless(open_row(browser, event))
    assert_harmless(open_list(browser, Event))


def test_in_the_reason_of_a_stop(browser, db):
    state = kill_switch.engage(actor=ATTACK, reason=ATTACK)

    assert_harmless(open_row(browser, state))
    assert_harmless(open_list(browser, TradingState))
