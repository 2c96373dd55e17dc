"""Asking what a signal would come to, and trying a decision again under today's limits."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from signals_app.models import Signal
from tests.limits import set_limits
from tests.people import logged_in
from trading.models import Decision, Order

pytestmark = pytest.mark.django_db


def page() -> str:
    return reverse("what-if")


def ask(browser: Client, **fields: str) -> str:
    given = {"strategy_id": "test", "symbol": "BTCUSDT", "action": "buy", "confidence": "1"}
    return browser.post(page(), given | fields).content.decode()


def again(browser: Client, decision: Decision) -> str:
    address = reverse("admin:trading_decision_what_if", args=(decision.pk,))
    return browser.post(address, follow=True).content.decode()


def test_the_form_tells_the_verdict_the_order_and_the_costs(browser, venue):
    told = ask(browser, quantity="0.01", stop_loss="40000")
    assert "WOULD BE APPROVED" in told
    assert "Worst loss at the stop, fees included" in told
    assert not Signal.objects.exists()
    assert not Decision.objects.exists()


def test_a_whole_payload_is_taken_instead(browser, venue):
    payload = {"strategy_id": "a", "symbol": "BTCUSDT", "action": "buy", "confidence": 0.2}
    told = ask(browser, payload=json.dumps(payload), quantity="nonsense")
    assert "WOULD BE DENIED" in told
    assert "CONFIDENCE_BELOW_MIN" in told


def test_what_is_wrong_stands_on_its_field(browser, venue):
    told = ask(browser, quantity="a lot")
    assert 'story-objection">' in told
    assert "WOULD BE" not in told


def test_a_payload_that_is_no_json_says_where(browser, venue):
    assert "not JSON" in ask(browser, payload="{")


def test_a_denied_decision_is_tried_again_under_todays_limits(browser, send):
    denied = send(confidence=0.4).decision
    assert denied.code == "CONFIDENCE_BELOW_MIN"
    set_limits(min_confidence="0.3")

    told = again(browser, denied)

    assert "WOULD BE APPROVED" in told
    assert Decision.objects.count() == 1
    assert not Order.objects.exists()


def test_an_old_decision_is_not_called_stale(browser, send):
    decision = send().decision
    Decision.objects.update(intent=decision.intent | {"emitted_at": "2020-01-01T00:00:00+00:00"})
    assert "SIGNAL_STALE" not in again(browser, decision)


@pytest.mark.parametrize(
    "name", ["admin:trading_decision_change", "admin:signals_app_signal_change"]
)
def test_the_button_is_on_the_page_of_the_decision_and_of_the_signal(browser, send, name):
    outcome = send(confidence=0.1)
    pk = outcome.decision.pk if "decision" in name else outcome.signal.pk
    address = reverse("admin:trading_decision_what_if", args=(outcome.decision.pk,))
    assert f'action="{address}"' in browser.get(reverse(name, args=(pk,))).content.decode()


def test_it_needs_a_permission(send):
    decision = send().decision
    stranger = logged_in("signals_app.view_signal")
    assert stranger.get(page()).status_code == 403
    address = reverse("admin:trading_decision_what_if", args=(decision.pk,))
    assert stranger.post(address).status_code == 403
    assert logged_in("trading.trade", username="bob").get(page()).status_code == 200
