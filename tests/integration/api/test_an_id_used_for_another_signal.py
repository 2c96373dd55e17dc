"""An id that comes again with another signal is refused: the first outcome is not its own."""

from __future__ import annotations

import pytest

from audit.models import Event
from signals_app.models import Signal
from tests.integration.api.conftest import trade

KEY = {"Idempotency-Key": "order-7"}


def test_a_key_is_not_taken_for_another_quantity(trader, exchange):
    first = trade(trader, KEY).json()
    again = trade(trader, KEY, quantity=0.002)
    assert again.status_code == 409
    assert again.headers["Content-Type"] == "application/problem+json"
    body = again.json()
    assert (body["code"], body["field"]) == ("IDEMPOTENCY_KEY_REUSED", "Idempotency-Key")
    assert body["differs_in"] == ["quantity"]
    assert body["signal_uid"] == first["signal_uid"]
    assert body["follow"] == f"/api/v1/signals/{first['signal_uid']}/"
    assert Signal.objects.count() == exchange.count("place_order") == 1


def test_a_uid_is_not_taken_for_another_symbol(trader, exchange):
    trade(trader, signal_uid="mine-1")
    again = trade(trader, signal_uid="mine-1", symbol="ETHUSDT", quantity=0.01)
    assert again.status_code == 409
    body = again.json()
    assert (body["code"], body["field"]) == ("SIGNAL_UID_REUSED", "signal_uid")
    assert body["differs_in"] == ["symbol", "quantity"]
    assert body["signal_uid"] == "mine-1"
    assert exchange.count("place_order") == 1


def test_a_key_is_not_taken_for_another_uid(trader):
    trade(trader, KEY, signal_uid="mine-1")
    again = trade(trader, KEY, signal_uid="mine-2")
    assert again.status_code == 409
    assert again.json()["differs_in"] == ["signal_uid"]


def test_a_denied_signal_is_not_corrected_under_its_key(trader, exchange):
    trade(trader, KEY, confidence=0.2)
    assert trade(trader, KEY, confidence=0.9).status_code == 409
    assert exchange.count("place_order") == 0


def test_it_is_on_record(trader):
    trade(trader, KEY)
    trade(trader, KEY, quantity=0.002)
    assert Event.objects.get(kind="signal.repeated").data["payload_differs"] is True


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": None},
        {"quantity": "0.0010"},
        {"quantity": None, "meta": {"base_amount": 0.001}},
        {"symbol": "BTC/USDT"},
        {"current_price": 45001},
        {"indicators": {"rsi": 31}, "attempt": 2},
    ],
)
def test_the_same_order_in_other_words_is_a_repeat(trader, exchange, changes):
    first = trade(trader, KEY)
    again = trade(trader, KEY, **changes)
    assert again.status_code == 200, again.content
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert exchange.count("place_order") == 1
