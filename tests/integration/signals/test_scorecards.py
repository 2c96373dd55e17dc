"""Scorecards: every row of the corridor counts once, where and when it happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from signals_app.models import ScoreDay, Signal
from signals_app.selectors import scorecards as selector
from signals_app.services import intake, routing, scorecards
from tests.integration.trading.conftest import send, venue  # noqa: F401
from trading.models import ClosedTrade, Decision, VirtualAccount

pytestmark = pytest.mark.django_db


def settle(**how: int) -> None:
    """Sum up all there is: once to see it, once when it has settled."""
    now = timezone.now()
    scorecards.roll(now=now, **how)
    scorecards.roll(now=now + scorecards.SETTLE, **how)


def card(**place: Any):
    [found] = selector.cards(**place)
    return found


def test_a_round_trip_is_on_the_card(venue, send):  # noqa: F811
    venue.fill_next_at("45009")
    send()
    send(action="sell", quantity=None)
    settle()
    found = card(strategy_id="test")
    trade = ClosedTrade.objects.get()
    assert (found.environment, found.symbol) == ("simulator", "BTCUSDT")
    assert (found.signals, found.approved, found.denials) == (2, 2, 0)
    assert (found.trades, found.losses, found.hit_rate) == (1, 1, 0)
    assert (found.profit, found.fees) == (trade.profit, trade.fees)
    assert found.expectancy == trade.profit.quantize(selector.MONEY)
    assert found.worst_slippage_bps == 2
    assert sum(found.acknowledged.values()) == 2
    assert found.acknowledged_95_ms is not None


def test_denials_count_by_code(send):  # noqa: F811
    send(confidence=0.1)
    send(confidence=0.2)
    settle()
    found = card()
    assert (found.signals, found.approved) == (2, 0)
    assert list(found.denied.values()) == [2]
    assert (found.hit_rate, found.expectancy, found.average_slippage_bps) == (None, None, None)


def test_what_is_not_understood_counts_without_an_environment(db):
    body = b'{"strategy_id": "odd", "symbol": "BTCUSDT"}'
    intake.store(intake.Inbound(source="test", body=body, received_at=timezone.now()))
    settle()
    found = card()
    assert (found.environment, found.rejected, found.signals) == ("", 1, 1)


def test_a_denial_before_any_account_was_asked_counts_too(db):
    body = b'{"strategy_id": "odd", "symbol": "BTCUSDT", "action": "buy", "confidence": 0.9}'
    sent = intake.Inbound(source="test", body=body, received_at=timezone.now())
    VirtualAccount.objects.all().delete()
    routing.act_on(intake.store(sent).signal_id)
    settle()
    assert card(strategy_id="odd").denied == {"ACCOUNT_UNKNOWN": 1}


def test_nothing_counts_twice(send):  # noqa: F811
    send()
    settle()
    settle()
    assert card().approved == 1
    send()
    settle()
    assert card().signals == 2


def test_fresh_rows_wait_until_they_have_settled(send):  # noqa: F811
    now = timezone.now()
    send()
    scorecards.roll(now=now)
    scorecards.roll(now=now + scorecards.SETTLE / 2)
    assert selector.cards() == []


def test_many_rows_are_read_in_parts(send):  # noqa: F811
    for _ in range(5):
        send(confidence=0.1)
    settle(most=2)
    assert card().denials == 5


def test_days_begin_by_the_desks_clock(send, settings):  # noqa: F811
    send()
    late = timezone.now().replace(hour=23, minute=30) - timedelta(days=2)
    Signal.objects.update(received_at=late)
    Decision.objects.update(decided_at=late)
    settings.DESK_TIMEZONE = ZoneInfo("Asia/Tokyo")
    settle()
    day = ScoreDay.objects.exclude(approved=0).get().day
    assert day == (late + timedelta(days=1)).date()


def test_days_can_be_chosen(send):  # noqa: F811
    send()
    settle()
    today = ScoreDay.objects.latest("day").day
    assert selector.cards(since=today)
    assert not selector.cards(since=today + timedelta(days=1))
    assert not selector.cards(until=today - timedelta(days=1))


@pytest.mark.parametrize(
    ("counted", "bound"),
    [
        ({}, None),
        ({"50": 100}, 50),
        ({"50": 95, "5000": 5}, 50),
        ({"50": 94, "5000": 6}, 5000),
        ({"50": 1, "more": 99}, None),
    ],
)
def test_ninety_five_of_a_hundred(counted, bound):
    assert selector.Scorecard("", "", "", acknowledged=counted).acknowledged_95_ms == bound
