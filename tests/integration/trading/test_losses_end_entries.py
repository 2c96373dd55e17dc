"""Losses of a day and from the best: told, then no more entries, then everything sold."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from audit.models import Event
from exchanges import quotes
from exchanges.models import VenueAccount
from foundation import locks
from tests.fakes.exchange import FakeExchange
from tests.limits import set_limits
from trading.models import EquityCourse, EquitySnapshot, Position, TradingState, VirtualAccount
from trading.services.control import kill_switch
from trading.services.execution import flatten
from trading.services.money import accounts, balances, equity

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(autouse=True)
def _prices_may_run(db):
    equity.forget()
    set_limits(max_sender_gap_bps=0, max_position_notional=0, cooldown_after_losses=0)


@pytest.fixture
def market(venue: FakeExchange):
    """Move the price of what is held, and have the watch see it."""

    def _market(price: str, symbol: str = "BTCUSDT") -> None:
        venue.move(symbol, price)
        forget_prices()
        equity.watch()

    return _market


def forget_prices():
    quotes.forget()
    equity.forget()
    with quotes._redis() as client:
        client.flushdb()


def modes():
    return list(TradingState.objects.filter(released_at=None).values_list("mode", flat=True))


def test_an_open_loss_of_three_percent_ends_entries(send, market):
    equity.watch()
    send(quantity=1)  # 45,000 of 100,000
    market("43500")
    assert modes() == []
    market("41900")
    assert modes() == ["REDUCE_ONLY"]
    state = TradingState.objects.get()
    assert (state.scope, state.key, state.engaged_by) == ("account", "simulator", "loss ladder")
    assert state.expires_at
    assert state.expires_at > timezone.now()
    assert "today's loss is 3." in state.reason
    assert send(symbol="ETHUSDT", quantity=1).decision.code == "TRADING_REDUCE_ONLY"
    assert send(action="close", quantity=None).decision.approved


def test_the_rule_denies_without_the_watch(send, venue):
    send(quantity=1)
    venue.move("BTCUSDT", "41000")
    forget_prices()
    assert not TradingState.objects.exists()
    denied = send(quantity=0.01).decision
    assert denied.code == "DAILY_LOSS_AT_MAX"
    assert denied.message.startswith("DAILY_LOSS_AT_MAX: limit=3 actual=4.")


def test_a_realised_loss_counts_after_the_position_is_gone(send, venue, market):
    equity.watch()
    send(quantity=1)
    venue.move("BTCUSDT", "41000")
    forget_prices()
    send(action="close", quantity=None)
    assert send(quantity=0.01).decision.code == "DAILY_LOSS_AT_MAX"


def test_two_percent_is_told_once(send, market):
    equity.watch()
    send(quantity=1)
    market("42900")
    market("42890")
    assert Event.objects.filter(kind="equity.warn").count() == 1
    assert modes() == []


def test_the_flatten_step_sells_everything_of_the_account(send, venue, market):
    set_limits(daily_loss_flatten_pct=5)
    equity.watch()
    send(quantity=1)
    venue.move("BTCUSDT", "39000")
    forget_prices()
    [state] = [one for one in equity.watch() if one.mode == "FLATTEN"]
    flatten.carry_out(state.pk, at_once=True)
    assert Position.objects.get().quantity == 0


def test_a_step_that_was_released_is_not_taken_again_today(send, market):
    equity.watch()
    send(quantity=1)
    market("41500")
    kill_switch.release(state_id=TradingState.objects.get().pk, actor="eve", reason="seen")
    market("41400")
    assert modes() == []
    assert send(quantity=0.01).decision.code == "DAILY_LOSS_AT_MAX"


def test_a_new_day_begins_where_the_last_one_was_seen(send, market):
    equity.watch()
    send(quantity=1)
    market("41500")
    TradingState.objects.update(released_at=timezone.now())
    for course in EquityCourse.objects.all():
        course.day -= timedelta(days=1)
        course.save()
    assert send(quantity=0.01).decision.approved


def test_a_drawdown_stands_until_somebody_releases_it_and_is_measured_anew(send, market):
    set_limits(daily_loss_reduce_pct=0, weekly_loss_reduce_pct=0, drawdown_reduce_pct=4)
    equity.watch()
    send(quantity=1)
    market("40500")
    state = TradingState.objects.get()
    assert state.expires_at is None
    assert "from the best" in state.reason

    with pytest.raises(ValueError, match="reason"):
        equity.reset_drawdown(state_account().pk, actor="eve", reason="")
    equity.reset_drawdown(state_account().pk, actor="eve", reason="capital was halved on purpose")
    kill_switch.release(state_id=state.pk, actor="eve", reason="measured anew")
    assert send(quantity=0.01).decision.approved
    assert Event.objects.filter(kind="equity.drawdown_reset", actor="eve").exists()


def state_account():
    return VirtualAccount.objects.get(name="simulator")


def test_a_holding_without_a_price_denies_entries_elsewhere(send, venue, settings):
    send(symbol="ETHUSDT", quantity=1)
    Position.objects.update(marked_at=timezone.now() - timedelta(seconds=61))
    assert send(quantity=0.01).decision.code == "DAILY_LOSS_UNKNOWN"
    assert send(symbol="ETHUSDT", quantity=1).decision.approved  # its own price is at hand


def test_what_an_account_is_worth_is_written_down_now_and_then(send, market, settings):
    settings.EQUITY_SNAPSHOT_SECONDS = 60
    equity.watch()
    send(quantity=1)
    market("44000")
    assert EquitySnapshot.objects.count() == 1
    EquityCourse.objects.update(snapshot_at=timezone.now() - timedelta(seconds=61))
    market("44000")
    latest = EquitySnapshot.objects.latest("pk")
    position = Position.objects.get()
    assert latest.realised == position.realised_pnl
    assert latest.unrealised == position.quantity * (44_000 - position.average_entry_price)
    assert latest.equity == latest.cash + position.quantity * 44_000
    assert latest.fees == position.fees_quote
    assert latest.drawdown_pct > 0


def test_equity_is_the_wallet_and_what_is_held(send, market, venue):
    accounts.ensure_first()
    balances.refresh(VenueAccount.objects.get())
    equity.watch()
    before = EquityCourse.objects.get()
    assert before.base + before.profit == 100_000
    send(quantity=1)
    market("45000")
    after = EquitySnapshot.objects.latest("pk")
    assert after.equity <= 100_000


def test_a_venue_that_does_not_answer_is_asked_once_in_half_a_minute(send, venue):
    send(quantity=1)
    send(symbol="ETHUSDT", quantity=1)
    forget_prices()
    venue.go_down()
    asked = venue.count("quote")
    for _ in range(3):
        equity.watch()
    assert venue.count("quote") == asked + 1


def test_one_watch_at_a_time(send, market):
    with locks.at("equity"):
        assert equity.watch() == []
    assert not EquityCourse.objects.exclude(snapshot_at=None).exists()
