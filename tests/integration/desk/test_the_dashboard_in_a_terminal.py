"""`manage.py dashboard`: accounts, positions and the kill switch, from the desk's own books."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from exchanges.models import Balance
from trading.models import LossStreak, Position, VirtualAccount
from trading.services.control import kill_switch
from trading.services.money import accounts, equity

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(autouse=True)
def account(db) -> VirtualAccount:
    accounts.ensure_first()
    made = VirtualAccount.objects.select_related("venue_account").get(name="simulator")
    Balance.objects.create(
        venue_account=made.venue_account,
        asset="USDT",
        free=Decimal(10_000),
        updated_at=timezone.now(),
    )
    return made


def screen() -> str:
    out = StringIO()
    call_command("dashboard", "--once", stdout=out)
    return out.getvalue()


def test_an_account_shows_balance_result_and_status(account):
    equity.watch()
    shown = screen()
    assert "simulator" in shown
    assert "10,000.00" in shown
    assert "active" in shown
    assert "Nothing is held." in shown


def test_a_pause_counts_down(account):
    now = timezone.now()
    LossStreak.objects.create(
        account=account,
        scope="account",
        key=account.name,
        cooldown_until=now + timedelta(seconds=125),
        changed_at=now,
    )
    assert "cooldown 2:0" in screen()


def test_a_position_shows_entry_stop_and_what_is_wrong(account):
    Position.objects.create(
        account=account,
        symbol="BTCUSDT",
        quantity=Decimal("0.5"),
        average_entry_price=Decimal(45_000),
        stop_price=Decimal("44100.5"),
        is_open=True,
        alarm="no stop for 9 s",
        updated_at=timezone.now(),
    )
    shown = screen()
    for word in ("BTCUSDT", "45,000", "44,100.5", "no stop for 9 s"):
        assert word in shown


def test_the_footer_shows_the_kill_switch_and_thresholds():
    kill_switch.engage(actor="eve", reason="odd prices", scope="symbol", key="BTCUSDT")
    kill_switch.engage(actor="eve", reason="all of it")
    shown = screen()
    assert "Kill switch HALTED" in shown
    assert "HALTED symbol BTCUSDT: odd prices (eve)" in shown
    assert "max_spread_bps 10" in shown


def test_what_people_write_is_not_read_as_markup():
    kill_switch.engage(actor="eve", reason="[bold red]boo[/bold red]")
    assert "[bold red]boo[/bold red]" in screen()


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(CommandError, match="--interval"):
        call_command("dashboard", "--interval", "0")
