from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from signals_app.models import Signal
from signals_app.services import intake

pytestmark = pytest.mark.django_db


def story(browser, signal: Signal) -> str:
    answer = browser.get(reverse("admin:signals_app_signal_change", args=(signal.pk,)))
    assert answer.status_code == 200
    return answer.content.decode()


def stored(body: bytes) -> Signal:
    inbound = intake.Inbound(source="test", body=body, received_at=timezone.now())
    return Signal.objects.get(pk=intake.store(inbound).signal_id)


def test_from_the_bytes_to_the_fill(browser, send):
    outcome = send(rationale="Breakout above the range")

    page = story(browser, outcome.signal)

    assert "&quot;rationale&quot;: &quot;Breakout above the range&quot;" in page
    assert "Breakout above the range</dd>" in page
    for verdict in outcome.decision.verdicts:
        assert verdict["rule"].replace("_", " ") in page
    assert outcome.order.client_order_id in page
    fill = outcome.order.fills.get()
    assert f"<td>{fill.venue_trade_id}</td>" in page
    for kind in ("signal.received", "decision.approved", "order.created", "order.filled"):
        assert f'<td class="story-rule">{kind}</td>' in page


def test_a_denial_shows_the_rule_its_limit_and_the_actual_value(browser, send):
    page = story(browser, send(confidence=0.31).signal)

    assert "CONFIDENCE_BELOW_MIN" in page
    assert '<td class="number">0.5</td>' in page
    assert '<td class="number">0.31</td>' in page
    assert "No order came of it." in page


def test_a_refused_payload_names_its_field(browser):
    signal = stored(b'{"strategy_id": "s", "symbol": "BTCUSDT", "action": "buy", "confidence": 2}')

    page = story(browser, signal)

    assert "<code>confidence</code>" in page
    assert signal.error_code in page
    assert "Nothing was traded." in page


def test_bytes_that_are_no_text_are_shown_safely(browser):
    page = story(browser, stored(b"\xff\xfe\x00<b>bold</b>\x1b[31m"))

    assert "\\xff\\xfe\\x00&lt;b&gt;bold&lt;/b&gt;\\x1b[31m" in page


def test_characters_that_turn_the_reading_direction_are_spelled_out(browser):
    page = story(browser, stored("{\u202e}".encode()))

    assert "{\\u202e}" in page
    assert "\u202e" not in page


def test_an_oversized_payload_says_that_it_is_cut(browser):
    page = story(browser, stored(b'{"meta": "' + b"x" * 300_000 + b'"}'))

    assert "Only the beginning is shown." in page
    assert "300012 bytes" in page


def test_a_signal_that_waits_has_no_decision_yet(browser, send):
    signal = send().signal
    Signal.objects.filter(pk=signal.pk).update(status="received", decision=None)

    assert "Not decided yet." in story(browser, signal)
