"""After so many losing trades in a row no entry follows for a while."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from tests.fakes.exchange import FakeExchange
from tests.limits import set_limits
from trading.models import ClosedTrade, LossStreak
from trading.services.risk import cooldowns

pytestmark = pytest.mark.django_db


@pytest.fixture
def trip(send, venue: FakeExchange):
    """Go in and out: at a loss (its fees), or at a price that wins."""

    def _trip(*, wins: bool = False, **fields):
        decision = send(**fields).decision
        assert decision.approved, decision.message
        if wins:
            venue.move("BTCUSDT", "46000")
        send(action="close", quantity=None, **fields)
        venue.move("BTCUSDT", "45000")

    return _trip


@pytest.fixture(autouse=True)
def _no_loss_ladder(db):
    set_limits(daily_loss_reduce_pct=0, weekly_loss_reduce_pct=0, drawdown_reduce_pct=0)
    set_limits(max_sender_gap_bps=0)


def time_goes_by(seconds):
    for streak in LossStreak.objects.all():
        if streak.cooldown_until:
            streak.cooldown_until -= timedelta(seconds=seconds)
            streak.save()


def test_the_third_loss_in_a_row_is_followed_by_five_minutes_of_nothing(send, trip):
    for _ in range(3):
        trip()
    denied = send().decision
    assert denied.code == "COOLDOWN_AFTER_LOSSES"
    assert "limit=3 actual=3" in denied.message

    time_goes_by(299)
    assert not send().decision.approved
    time_goes_by(2)
    assert send().decision.approved


def test_the_count_begins_anew_after_the_pause(trip):
    for _ in range(3):
        trip()
    time_goes_by(301)
    trip()
    trip()
    assert LossStreak.objects.get().losses == 2


def test_a_win_ends_the_streak(send, trip):
    trip()
    trip()
    trip(wins=True)
    trip()
    trip()
    assert send().decision.approved


def test_a_breakeven_neither_counts_nor_ends_it(trip):
    trip()
    trip()
    streak = LossStreak.objects.get()
    even = ClosedTrade.objects.latest("pk")
    even.profit = 0
    assert cooldowns.count(even, even.account, actor="test") == []
    streak.refresh_from_db()
    assert streak.losses == 2


def test_exits_go_out_during_the_pause(send, trip):
    send(symbol="ETHUSDT", quantity=1)
    for _ in range(3):
        trip()
    assert send(action="close", symbol="ETHUSDT", quantity=None).decision.approved


def test_set_for_a_strategy_it_counts_that_strategys_losses(send, trip):
    set_limits(cooldown_after_losses=0)
    set_limits(scope="strategy", key="skew", cooldown_after_losses=2)
    trip(strategy_id="other")
    trip(strategy_id="skew")
    assert send(strategy_id="skew").decision.approved
    send(strategy_id="skew", action="close", quantity=None)

    denied = send(strategy_id="skew").decision
    assert denied.code == "COOLDOWN_AFTER_LOSSES"
    assert "strategy skew" in denied.message
    assert send(strategy_id="other").decision.approved


def test_set_for_a_symbol_it_counts_that_symbols_losses(send, trip):
    set_limits(scope="symbol", key="BTCUSDT", cooldown_after_losses=1)
    trip()
    assert "symbol BTCUSDT" in send().decision.message
    assert send(symbol="ETHUSDT", quantity=1).decision.approved


def test_an_early_end_needs_a_reason_and_is_on_record(send, trip):
    for _ in range(3):
        trip()
    streak = cooldowns.running().get()
    with pytest.raises(ValueError, match="reason"):
        cooldowns.release(streak.pk, actor="eve", reason=" ")
    assert cooldowns.release(streak.pk, actor="eve", reason="bad fills, venue told us")
    assert not cooldowns.release(streak.pk, actor="eve", reason="again")

    assert send().decision.approved
    streak.refresh_from_db()
    assert (streak.released_by, streak.release_reason) == ("eve", "bad fills, venue told us")
    assert Event.objects.filter(kind="cooldown.released", actor="eve").count() == 1


def test_the_pause_has_its_line_in_the_trail(trip):
    for _ in range(3):
        trip()
    event = Event.objects.get(kind="cooldown.begun")
    assert event.data["losses"] == 3
    assert event.data["until"] > timezone.now().isoformat()


def test_a_limit_of_zero_pauses_nothing(send, trip):
    set_limits(cooldown_after_losses=0)
    for _ in range(4):
        trip()
    assert send().decision.approved
