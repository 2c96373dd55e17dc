"""Coins that are in the books and not at the venue are taken off, at cost, by a person."""

from __future__ import annotations

from decimal import Decimal

import pytest

from audit.models import Event
from exchanges.domain import errors
from exchanges.models import VenueAccount
from tests.integration.trading.test_losses_end_entries import forget_prices
from tests.integration.trading.withdrawals import a_minute_passes, look, withdraw
from trading.models import (
    ClosedTrade,
    LossStreak,
    Order,
    Position,
    PositionAdjustment,
    VirtualAccount,
)
from trading.services.money import balances, equity, ledger, tie_out
from trading.services.protection import keeper, shortfalls

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def short(send, venue) -> Position:
    """0.00999 BTC in the books, 0.00799 at the venue; the difference is noted."""
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    assert keeper.ensure(position.pk, actor="test")
    a_minute_passes()
    withdraw(venue, "0.002")
    look(position)
    assert position.shortfall == D("0.002")
    return position


def settle(position: Position, reason: str = "sold by hand") -> PositionAdjustment:
    row = shortfalls.settle(position.pk, actor="eve", reason=reason)
    position.refresh_from_db()
    return row


def refusal(position: Position, **fields: str) -> str:
    with pytest.raises(shortfalls.Refused) as caught:
        settle(position, **fields)
    assert not PositionAdjustment.objects.exists()
    return caught.value.code


def test_it_is_taken_off_the_books_at_cost(short):
    average, realised = short.average_entry_price, short.realised_pnl

    row = settle(short)

    assert (row.quantity, row.price, row.actor) == (D("0.002"), average, "eve")
    assert (short.quantity, short.shortfall) == (D("0.00799"), 0)
    assert (short.average_entry_price, short.realised_pnl) == (average, realised)


def test_it_is_on_record_with_its_reason(short):
    settle(short)

    event = Event.objects.get(kind="position.shortfall_settled")
    assert event.actor == "eve"
    assert (event.data["taken_off"], event.data["left"]) == ("0.002", "0.00799")
    assert event.data["reason"] == "sold by hand"


def test_its_protection_is_looked_at_and_the_alarm_ends(short):
    settle(short)
    assert short.next_look_at is not None
    a_minute_passes()

    look(short)

    assert (short.alarm, short.shortfall, short.naked_since) == ("", 0, None)
    assert sum(o.quantity for o in Order.objects.filter(role="stop_loss", status="OPEN")) == D(
        "0.00799"
    )


def test_the_books_tie_out_afterwards(short, send):
    assert not tie_out.run(VenueAccount.objects.get()).agrees

    settle(short)
    assert tie_out.run(VenueAccount.objects.get()).agrees

    send(quantity=0.01)
    send(action="sell", quantity=0.004)
    found = tie_out.run(VenueAccount.objects.get())
    assert found.agrees, found.differences


def test_cash_stays_and_the_capital_falls_by_the_cost(send, venue):
    account = VirtualAccount.objects.get(is_default=True)
    balances.refresh(account.venue_account)
    ledger.move(account.pk, D(5000), actor="eve", reason="start")
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    a_minute_passes()
    withdraw(venue, "0.002")
    account.refresh_from_db()
    before = ledger.cash(account, Position.objects.all())
    capital = account.capital

    row = settle(look(position))

    account.refresh_from_db()
    assert ledger.cash(account, Position.objects.all()) == before
    assert capital is not None
    assert account.capital == capital - row.cost


def test_equity_falls_by_what_the_coins_were_worth_and_no_loss_is_counted(short, venue):
    venue.move("BTCUSDT", "44500")
    forget_prices()
    balances.refresh(VenueAccount.objects.get())
    equity.watch()
    account = VirtualAccount.objects.get(is_default=True)
    before = account.equity_course
    lost_today = before.profit - before.day_profit
    worth = before.base + before.profit

    settle(short)

    for _ in range(2):
        after = VirtualAccount.objects.get(pk=account.pk).equity_course
        assert after.base + after.profit == pytest.approx(worth - D("0.002") * 44500, abs=D("0.1"))
        assert after.profit - after.day_profit == pytest.approx(lost_today, abs=D("0.01"))
        balances.refresh(VenueAccount.objects.get())
        equity.watch()


def test_a_position_that_is_gone_closes_like_any_other(send, venue):
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    a_minute_passes()
    withdraw(venue, str(position.quantity))

    settle(look(position))

    assert (position.is_open, position.quantity, position.alarm) == (False, Decimal(0), "")
    assert position.closed_at is not None
    trade = ClosedTrade.objects.get()
    assert (trade.sold, trade.exit_price) == (Decimal(0), trade.entry_price)
    assert trade.profit == position.realised_pnl == -trade.fees
    assert not LossStreak.objects.exists()


def test_a_closed_trade_counts_what_was_sold(short, send):
    settle(short)
    send(action="sell", quantity=None)

    trade = ClosedTrade.objects.get()
    assert trade.profit == Position.objects.get().realised_pnl
    assert trade.sold < D("0.008") < trade.bought


def test_without_a_shortfall_there_is_nothing_to_settle(send):
    send()
    assert refusal(Position.objects.get()) == "NO_SHORTFALL"


def test_a_reason_is_asked_for(short):
    assert refusal(short, reason="  ") == "REASON_MISSING"


def test_coins_that_came_back_are_not_taken_off(short, venue):
    venue.deposit("BTC", "0.002")

    assert refusal(short) == "SHORTFALL_CHANGED"
    assert look(short).quantity == D("0.00999")


def test_more_missing_than_was_noted_is_said_first(short, venue):
    withdraw(venue, "0.001")
    with pytest.raises(shortfalls.Refused, match=r"0\.003 BTC is missing, not 0\.002"):
        settle(short)

    settle(look(short))
    assert short.quantity == D("0.00699")


def test_a_venue_that_does_not_answer_confirms_nothing(short, venue):
    venue.fail_read_next(errors.OutcomeUnknown("timeout"))
    with pytest.raises(errors.VenueError):
        settle(short)
    assert not PositionAdjustment.objects.exists()


def test_a_sale_that_comes_between_stops_it(short, send, venue, monkeypatch):
    ask = venue.account

    def sell_meanwhile():
        report = ask()
        monkeypatch.undo()
        send(action="sell", quantity=0.001)
        return report

    monkeypatch.setattr(venue, "account", sell_meanwhile)
    refusal(short)


def test_it_is_settled_once(short):
    settle(short)
    with pytest.raises(shortfalls.Refused, match="no shortfall"):
        settle(short)
    assert PositionAdjustment.objects.count() == 1
