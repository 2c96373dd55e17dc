"""Binance gives balances as a list. Read wrongly it is zero, and every order the least there is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.models import Balance

pytestmark = pytest.mark.django_db


def test_a_signal_without_a_size_buys_two_percent_by_confidence(send, venue):
    outcome = send(quantity=None, confidence=0.5)

    assert Balance.objects.get(asset="USDT").locked == 0
    spent = Decimal(100_000) * Decimal("0.02") * Decimal("0.5")
    assert outcome.order.quantity == (spent / 45_000).quantize(Decimal("0.00001"), "ROUND_DOWN")
    assert outcome.decision.arithmetic["sizing"]


def test_too_little_money_is_denied_and_never_lifted_to_the_venues_least(send, venue):
    venue.deposit("USDT", 200 - venue.free("USDT"))  # 2 % of it is below 5 USDT

    outcome = send(quantity=None, confidence=0.9)

    assert not outcome.decision.approved
    assert outcome.decision.code in ("NOTIONAL_BELOW_MIN", "EXIT_BELOW_MIN_NOTIONAL")
    assert venue.placed == []
