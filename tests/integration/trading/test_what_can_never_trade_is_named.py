"""`manage.py check_limits`: contradictions are named, with the fix, before a signal finds them."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from exchanges import catalogue
from exchanges.models import InstrumentRow
from signals_app.services import strategy_settings
from tests.fakes.exchange import FakeExchange
from tests.limits import set_limits
from trading.models import VirtualAccount
from trading.services.control import kill_switch
from trading.services.money import account_settings, accounts, balances

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def account(venue: FakeExchange) -> VirtualAccount:
    account = VirtualAccount.objects.get(name="simulator")
    balances.refresh(account.venue_account)
    wish = strategy_settings.Wish(params={"min_spread_percent": 0})
    strategy_settings.change(  # by its first values this one never trades, and is named
        strategy_id="orderbook_skew", wish=wish, reason="to trade", actor="ann"
    )
    return account


def run() -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("check_limits", stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(str(ended.code))
    return out.getvalue(), 0


def test_an_ordinary_desk_has_nothing_in_its_way():
    assert run() == ("Nothing stands in the way of any account.\n", 0)


def test_no_room_for_a_position():
    set_limits(max_open_positions=0)
    said, code = run()
    assert code == 1
    assert "NEVER TRADES: simulator: max_open_positions is 0 (global)" in said
    assert "fix: set max_open_positions to 1 or more" in said


def test_a_position_limit_below_the_venues_least_order():
    set_limits(scope="account", key="simulator", max_position_notional="1")
    said, code = run()
    assert code == 1
    assert "max_position_notional is 1 (account simulator) is below the least order of" in said


def test_a_strategy_of_its_own_limits(account):
    accounts.map_strategy("skew", account, actor="ann")
    set_limits(scope="strategy", key="skew", max_open_positions=0)
    said, code = run()
    assert code == 1
    assert "NEVER TRADES: simulator, strategy skew: max_open_positions is 0 (strategy skew)" in said
    assert said.count("NEVER TRADES") == 1


def test_a_default_size_too_small_is_a_note():
    set_limits(position_pct="0.00001")
    said, code = run()
    assert code == 0
    assert "note: simulator: an entry without a size of its own costs" in said
    assert "fix: raise position_pct" in said


def test_an_account_that_is_switched_off(account):
    VirtualAccount.objects.update(enabled=False)
    said, code = run()
    assert code == 1
    assert "accounts edit simulator --enabled on" in said


def test_a_symbol_nobody_lists(account):
    VirtualAccount.objects.update(allowed_symbols=["NOSUCHUSDT"])
    said, code = run()
    assert code == 1
    assert "its venue does not list NOSUCHUSDT" in said


def test_a_stop_in_force_is_a_note():
    kill_switch.engage(actor="ann", reason="odd prices")
    said, code = run()
    assert code == 0
    assert "odd prices" in said


def test_a_venue_that_cannot_be_asked_is_no_all_clear(account, venue):
    catalogue.forget()
    InstrumentRow.objects.all().delete()
    venue.go_down()
    with pytest.raises(CommandError, match="not checked"):
        run()


def test_steps_of_a_loss_in_the_wrong_order():
    set_limits(daily_loss_flatten_pct="0.5")
    said, code = run()
    assert code == 0
    assert "note: simulator: daily_loss_reduce_pct is 3 (global) comes after" in said
    assert "fix: set daily_loss_reduce_pct to less than daily_loss_flatten_pct" in said


def test_a_strategy_sized_by_a_past_it_does_not_have(account):
    accounts.map_strategy("skew", account, actor="test")
    changes = {"sizing_model": "fractional_kelly"}
    account_settings.change(account_id=account.pk, changes=changes, actor="test")
    said, _ = run()
    assert "note: simulator, strategy skew: it has 0 closed trades and kelly_min_trades is" in said


def test_a_limit_for_a_symbol_nobody_lists():
    set_limits(scope="symbol", key="BTCUSD", max_position_notional=10)
    said, _ = run()
    assert "note: every account: limits are set for symbol BTCUSD, which no venue lists" in said
