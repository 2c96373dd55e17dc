"""Every sizing model, from the account's row to the order at the venue."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.limits import set_limits
from trading.domain.risk.types import SizingModel
from trading.models import ClosedTrade, Position, VirtualAccount
from trading.services.risk import limit_check

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def sized_by(send):
    """Have the account sized by a model, through the command people use."""

    def choose(model: SizingModel) -> VirtualAccount:
        call_command("accounts", "edit", "simulator", sizing_model=model.value)
        set_limits(max_position_notional=0)
        return VirtualAccount.objects.get(name="simulator")

    return choose


def trades(account: VirtualAccount, *profits: int, strategy_id: str = "test") -> None:
    """Closed trades that cost 100 each."""
    now = timezone.now()
    for profit in profits:
        ClosedTrade.objects.create(
            account=account,
            symbol="BTCUSDT",
            strategy_id=strategy_id,
            opened_at=now,
            closed_at=now,
            bought=D(2),
            sold=D(2),
            entry_price=D(50),
            exit_price=D(50),
            fees=D(0),
            profit=D(profit),
        )


def test_by_equity(send, sized_by):
    sized_by(SizingModel.PERCENT_OF_EQUITY)
    plan = send(quantity=None, confidence=1).decision.plan
    assert D(1990) < D(plan["notional"]) <= D(2000)


def test_equity_counts_what_is_held(send, sized_by):
    sized_by(SizingModel.PERCENT_OF_EQUITY)
    send(quantity=1)
    decision = send(quantity=None, confidence=1).decision
    equity = D(decision.market["equity"])
    assert D(decision.market["free_quote"]) < D(60_000)
    assert D(99_000) < equity < D(100_000)


def test_by_risk_the_stop_costs_no_more_than_asked(send, sized_by):
    sized_by(SizingModel.RISK_TO_STOP)
    set_limits(risk_per_trade="0.005")
    decision = send(quantity=None).decision
    assert decision.approved, decision.message
    quantity, price = D(decision.plan["quantity"]), D(decision.plan["reference_price"])
    rate, stop = D(decision.market["taker_rate"]), D(decision.plan["stop_loss"])
    loss = quantity * (price - stop + rate * (price + stop))
    assert D(499) < loss <= D(500)
    assert "amount at risk" in decision.arithmetic["sizing"]


def test_a_fixed_base_quantity_of_the_symbol(send, sized_by):
    sized_by(SizingModel.FIXED_BASE)
    assert send(quantity=None).decision.code == "SIZE_NOT_SET"
    set_limits(scope="symbol", key="BTCUSDT", default_base_quantity="0.03")
    assert send(quantity=None).decision.plan["quantity"] == "0.03"


def test_by_the_strategys_own_past(send, sized_by):
    account = sized_by(SizingModel.FRACTIONAL_KELLY)
    set_limits(kelly_min_trades=4)
    trades(account, 4, 4, -2)
    trades(account, 9, 9, 9, strategy_id="another")
    denied = send(quantity=None).decision
    assert denied.code == "KELLY_SAMPLE_TOO_SMALL"
    assert "actual=3" in denied.message

    trades(account, -2)  # W 0.5, R 2: full Kelly 0.25, a quarter of it 0.0625
    plan = send(quantity=None).decision.plan
    assert D(6200) < D(plan["notional"]) <= D(6250)


def test_a_strategy_that_loses_enters_no_more_until_it_names_a_size(send, sized_by):
    account = sized_by(SizingModel.FRACTIONAL_KELLY)
    set_limits(kelly_min_trades=2)
    trades(account, 1, -5)
    assert send(quantity=None).decision.code == "KELLY_NO_EDGE"
    assert send(quantity=0.01).decision.approved


def test_exits_need_neither_equity_nor_past(send, sized_by):
    sized_by(SizingModel.PERCENT_OF_BALANCE)
    send(quantity=0.01)
    sized_by(SizingModel.FRACTIONAL_KELLY)
    assert send(action="close", quantity=None).decision.approved
    assert not Position.objects.get().is_open


def test_what_can_size_nothing_is_named(send, sized_by):
    sized_by(SizingModel.FIXED_BASE)
    set_limits(max_stop_loss_pct=1)
    problems = [one.problem for one in limit_check.run()]
    assert any("default_base_quantity is 0" in problem for problem in problems)
    assert any("stop_loss_pct is 2" in problem for problem in problems)
