"""Scorecards over the API and in the admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from signals_app.services import scorecards
from tests.integration.api.conftest import trade
from tests.people import logged_in


@pytest.fixture
def summed(trader):
    trade(trader)
    trade(trader, action="sell", quantity=None)
    trade(trader, confidence=0.1)
    now = timezone.now()
    scorecards.roll(now=now)
    scorecards.roll(now=now + scorecards.SETTLE)


def test_a_strategys_card(trader, summed):
    [card] = trader.get("/api/v1/scorecards?strategy_id=momentum_v1").json()
    assert (card["signals"], card["approved"]) == (3, 2)
    assert card["denied"] == {"CONFIDENCE_BELOW_MIN": 1}
    assert (card["trades"], card["losses"], card["hit_rate"]) == (1, 1, "0")
    assert card["expectancy"].startswith("-0.")


def test_days_are_chosen(trader, summed):
    tomorrow = (timezone.now() + timedelta(days=1)).date()
    assert trader.get(f"/api/v1/scorecards?since={tomorrow}").json() == []


@pytest.mark.parametrize("asked", ["since=soon", "environment=moon", "strategy=x", "symbol="])
def test_what_nobody_can_answer_is_refused(trader, asked):
    answer = trader.get(f"/api/v1/scorecards?{asked}")
    assert answer.status_code == 400
    assert asked.partition("=")[0] in answer.content.decode()


def test_the_page_shows_cards_and_denials(trader, summed):
    browser = logged_in("signals_app.view_scoreday", username="olga")
    told = browser.get(reverse("admin:scorecards")).content.decode()
    assert "momentum_v1" in told
    assert "1 CONFIDENCE_BELOW_MIN" in told


def test_the_page_is_for_those_who_may(db):
    assert logged_in().get(reverse("admin:scorecards")).status_code == 403
