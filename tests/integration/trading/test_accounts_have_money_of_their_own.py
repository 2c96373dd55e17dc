"""Two accounts on one venue account: each spends its own, and together not more than there is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from audit.models import Event
from exchanges.models import VenueAccount
from tests.fakes.exchange import FakeExchange
from tests.limits import set_limits
from trading.models import CapitalMove, EquityCourse, Position, TradingState, VirtualAccount
from trading.services.money import account_settings, accounts, balances, equity, ledger

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def two(venue: FakeExchange):
    accounts.ensure_first()
    venue_account = VenueAccount.objects.get(environment="simulator")
    balances.refresh(venue_account)
    made = []
    for name in ("alpha", "beta"):
        row = VirtualAccount(name=name, venue_account=venue_account)
        made.append(account_settings.create(row, actor="test"))
        accounts.map_strategy(name, row, actor="test")
    return made


def fund(account, amount):
    return ledger.move(account.pk, D(amount), actor="eve", reason="for this test")


def cash(account):
    account.refresh_from_db()
    return ledger.cash(account, account.positions.all())


def test_an_account_spends_its_own_money_only(two, send):
    alpha, beta = two
    fund(alpha, 1000)
    fund(beta, 500)
    assert send(strategy_id="alpha", quantity=0.02).decision.approved  # 900
    denied = send(strategy_id="alpha", quantity=0.01).decision
    assert denied.code == "BALANCE_INSUFFICIENT"
    assert send(strategy_id="beta", quantity=0.01).decision.approved


def test_each_is_sized_on_its_own_money(two, send):
    alpha, beta = two
    fund(alpha, 50_000)
    fund(beta, 25_000)
    sizes = [
        D(send(strategy_id=name, quantity=None).decision.plan["notional"])
        for name in ("alpha", "beta")
    ]
    assert sizes[0] / sizes[1] == pytest.approx(2, rel=D("0.05"))


def test_a_resting_entry_has_promised_its_money(two, send, venue):
    alpha, _ = two
    fund(alpha, 1000)
    venue.rest_next()
    resting = {"order_type": "limit", "price": 44_000, "stop_loss": 43_000}
    assert send(strategy_id="alpha", quantity=0.02, **resting).decision.approved
    assert send(strategy_id="alpha", quantity=0.01).decision.code == "BALANCE_INSUFFICIENT"


def test_what_is_earned_can_be_spent(two, send, venue):
    set_limits(max_sender_gap_bps=0)
    alpha, _ = two
    fund(alpha, 1000)
    send(strategy_id="alpha", quantity=0.02)
    venue.move("BTCUSDT", "50000")
    send(strategy_id="alpha", action="close", quantity=None)
    position = Position.objects.get(account=alpha)
    assert cash(alpha) == 1000 + position.realised_pnl
    assert cash(alpha) > 1090


def test_no_more_is_given_away_than_there_is(two):
    alpha, beta = two
    fund(alpha, 60_000)
    with pytest.raises(ValidationError, match="40000 USDT that no account calls its own"):
        fund(beta, 50_000)
    fund(beta, 40_000)


def test_what_is_tied_up_cannot_be_taken_out(two, send):
    alpha, _ = two
    fund(alpha, 1000)
    send(strategy_id="alpha", quantity=0.02)
    with pytest.raises(ValidationError, match="of alpha is free"):
        fund(alpha, -500)
    fund(alpha, -50)


@pytest.mark.parametrize("amount", ["0", "NaN", "Infinity", "1e13", "0.000000001"])
def test_what_is_no_amount_is_refused_by_name(two, amount):
    with pytest.raises(ValidationError) as caught:
        fund(two[0], amount)
    assert "amount" in caught.value.message_dict


def test_a_move_is_on_record(two):
    alpha, _ = two
    fund(alpha, 1000)
    fund(alpha, -200)
    latest = CapitalMove.objects.latest("pk")
    assert (latest.amount, latest.capital, latest.cash) == (D(-200), D(800), D(800))
    assert latest.moved_by == "eve"
    assert Event.objects.filter(kind="account.capital_moved", actor="eve").count() == 2


def test_an_account_that_trades_already_gets_a_ledger_without_losing_its_past(two, send):
    alpha, _ = two
    send(strategy_id="alpha", quantity=0.02)
    fund(alpha, 5000)
    assert cash(alpha) == 5000
    position = Position.objects.get(account=alpha)
    assert alpha.capital == 5000 - position.realised_pnl + (
        position.quantity * position.average_entry_price
    )


def test_capital_moved_is_no_win_and_no_loss(two, send):
    alpha, _ = two
    fund(alpha, 1000)
    equity.watch()
    fund(alpha, 9000)
    fund(alpha, -9900)
    equity.watch()
    alpha.refresh_from_db()
    course = alpha.equity_course
    assert (course.profit, course.high_profit, course.day_profit) == (0, 0, 0)
    assert send(strategy_id="alpha", quantity=0.001).decision.approved


class TestBesideAnAccountWithoutALedger:
    """It spends, and is measured by, what no ledger calls its own."""

    @pytest.fixture
    def shared(self, two):
        alpha, beta = two
        set_limits(max_position_notional=0)
        fund(alpha, 60_000)
        return alpha, beta

    def test_it_does_not_spend_what_another_calls_its_own(self, shared, send):
        denied = send(strategy_id="beta", quantity=1).decision  # 45,000 of 40,000
        assert denied.code == "BALANCE_INSUFFICIENT"
        assert send(strategy_id="beta", quantity=0.8).decision.approved
        assert send(strategy_id="alpha", quantity=1).decision.approved

    def test_what_the_other_has_spent_is_not_set_aside_twice(self, shared, send):
        assert send(strategy_id="alpha", quantity=1.3).decision.approved  # 58,500 of 60,000
        assert send(strategy_id="beta", quantity=0.8).decision.approved  # 36,000 of 40,000

    def test_its_size_is_a_part_of_what_is_left(self, shared, send):
        plan = send(strategy_id="beta", quantity=None, confidence=1).decision.plan
        assert D(plan["notional"]) == pytest.approx(D(800), rel=D("0.02"))

    def test_its_worth_does_not_move_when_the_other_trades(self, shared, send, venue):
        _, beta = shared
        equity.watch()
        before = beta.equity_course.base
        send(strategy_id="alpha", quantity=1)
        equity.watch()
        balances.refresh(beta.venue_account)
        equity.watch()
        beta.equity_course.refresh_from_db()
        assert beta.equity_course.base == pytest.approx(before, rel=D("0.001"))

    def test_a_wallet_heard_of_late_is_no_loss(self, shared, send, venue):
        """A sale is booked at once, the venue's balance comes later: that is not money lost."""
        _, beta = shared
        send(strategy_id="beta", quantity=0.8)
        balances.refresh(beta.venue_account)
        equity.watch()
        send(strategy_id="beta", action="close", quantity=None)
        equity.watch()  # the wallet still says what it said before the sale
        course = EquityCourse.objects.get(account=beta)
        assert course.base > 39_000
        assert not TradingState.objects.exists()
