"""`manage.py limits` and `manage.py accounts`: the use-cases at a terminal, with their refusals."""

from __future__ import annotations

import getpass
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from exchanges.models import Balance
from trading.models import CapitalMove, LimitChange, VirtualAccount
from trading.services.control import limits
from trading.services.money import accounts, equity

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def first(db) -> VirtualAccount:
    accounts.ensure_first()
    return VirtualAccount.objects.get(name="simulator")


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


class TestLimits:
    def test_set_show_and_history(self):
        run("limits", "set", "max_open_positions", "3", "--reason", "quiet")
        assert "max_open_positions        3 positions" in run("limits", "show")
        assert f"5 to 3 ({getpass.getuser()} (command line): quiet)" in run("limits", "history")
        assert "max_open_positions        global" in run("limits", "list")

    def test_one_place_shows_its_own(self):
        place = ("--scope", "symbol", "--key", "btcusdt", "--reason", "thin")
        run("limits", "set", "max_position_notional", "250", *place)
        assert "symbol BTCUSDT" in run("limits", "show", "simulator", "--symbol", "BTCUSDT")
        run("limits", "unset", "max_position_notional", *place)
        assert "symbol BTCUSDT" not in run("limits", "show", "--symbol", "BTCUSDT")

    def test_a_looser_one_waits_for_another_than_who_is_logged_in_here(self, settings, first):
        settings.FOUR_EYES = True
        said = run("limits", "set", "max_open_positions", "9", "--reason", "r")
        assert "waits for a second person" in said
        own = str(LimitChange.objects.get(state="pending").pk)
        with pytest.raises(CommandError, match="another must approve"):
            run("limits", "approve", own, "--reason", "r")
        run("limits", "decline", own, "--reason", "anew")
        wish = limits.Wish("global", "", "max_open_positions", "9", "r")
        change = limits.set_limit(wish, actor="ann")
        assert change is not None
        run("limits", "approve", str(change.pk), "--reason", "r")
        assert limits.value_of(first, "max_open_positions") == 9

    def test_nonsense_is_told_by_field(self):
        with pytest.raises(CommandError, match="value: max_open_positions: -1 is out of range"):
            run("limits", "set", "max_open_positions", "-1", "--reason", "r")
        with pytest.raises(CommandError, match="There is no account nobody"):
            run("limits", "show", "nobody")
        with pytest.raises(CommandError, match="There is no change 77"):
            run("limits", "decline", "77", "--reason", "r")


class TestAccounts:
    def test_create_edit_map_and_list(self):
        run("accounts", "create", "skew", "--environment", "simulator", "--symbols", "btcusdt")
        run("accounts", "edit", "skew", "--order-type", "LIMIT", "--symbols", "")
        run("accounts", "map", "orderbook_skew", "skew")
        made = VirtualAccount.objects.get(name="skew")
        assert (made.default_order_type, made.allowed_symbols) == ("LIMIT", [])
        listed = run("accounts", "list")
        assert "skew                simulator, on, percent of balance, every symbol, 24/7" in listed
        assert "- orderbook_skew" in listed
        run("accounts", "map", "orderbook_skew", "default")
        assert "orderbook_skew" not in run("accounts", "list")

    def test_real_money_starts_switched_off(self):
        assert "made, off" in run("accounts", "create", "real", "--environment", "mainnet")
        with pytest.raises(CommandError, match="does not allow mainnet"):
            run("accounts", "edit", "real", "--enabled", "on")

    def test_hours_are_set_and_shown(self):
        run("accounts", "create", "desk", "--environment", "simulator", "--window", "us-equity")
        assert "09:30-16:00 America/New_York mon-fri" in run("accounts", "list")
        run("accounts", "edit", "desk", "--window", "22:00-04:00 UTC fri")
        assert "22:00-04:00 UTC fri" in run("accounts", "list")
        with pytest.raises(CommandError, match="trading_window: 'Atlantis' is no timezone"):
            run("accounts", "edit", "desk", "--window", "09:30-16:00 Atlantis")

    def test_an_account_with_keys_of_its_own_has_a_venue_account_of_its_own(self, settings):
        settings.VENUE_ENVIRONMENT = "testnet"
        settings.BINANCE_CREDENTIALS = {"DESK2": ("key", "secret")}

        run("accounts", "create", "second", "--environment", "testnet", "--credentials", "DESK2")

        there = VirtualAccount.objects.get(name="second").venue_account
        assert (str(there.venue), there.credentials) == ("binance.spot.testnet", "DESK2")

    def test_keys_that_are_not_configured_are_asked_for(self):
        with pytest.raises(CommandError, match="set BINANCE_API_KEY_DESK9"):
            run("accounts", "create", "x", "--environment", "testnet", "--credentials", "DESK9")

    def test_nonsense_is_told(self):
        with pytest.raises(CommandError, match="There is an account simulator already"):
            run("accounts", "create", "simulator", "--environment", "simulator")
        with pytest.raises(CommandError, match="There is no account nobody"):
            run("accounts", "map", "skew", "nobody")
        with pytest.raises(CommandError, match="allowed_symbols"):
            run("accounts", "edit", "simulator", "--symbols", "btc/usdt")


class TestNames:
    def test_a_name_that_differs_by_its_capitals_only_is_taken(self):
        with pytest.raises(CommandError, match="There is an account simulator already"):
            run("accounts", "create", "SIMULATOR", "--environment", "simulator")

    def test_a_spread_told_for_a_strategy_that_is_mapped_already_is_stored_and_said(self, first):
        run("accounts", "map", "skew", "simulator")
        said = run("accounts", "map", "skew", "simulator", "--min-spread-bps", "10")
        assert "trades in simulator already, and signals from a spread of 10 basis points" in said


class TestMoney:
    @pytest.fixture(autouse=True)
    def wallet(self, first):
        now = timezone.now()
        venue_account = first.venue_account
        Balance.objects.create(
            venue_account=venue_account, asset="USDT", free=Decimal(1000), updated_at=now
        )

    def test_money_is_put_in_and_taken_out(self):
        assert "400 USDT of its own" in run("accounts", "fund", "simulator", "400", "--reason", "r")
        assert "300 USDT" in run("accounts", "fund", "simulator", "-100", "--reason", "r")
        assert "300 USDT of its own" in run("accounts", "list")
        move = CapitalMove.objects.latest("pk")
        assert move.moved_by == f"{getpass.getuser()} (command line)"

    @pytest.mark.parametrize(
        ("amount", "words"),
        [
            ("x", "amount: x is not a number"),
            ("2000", "amount: .* has 1000 USDT"),
            ("NaN", "amount"),
        ],
    )
    def test_what_cannot_be_moved_is_told(self, amount, words):
        with pytest.raises(CommandError, match=words):
            run("accounts", "fund", "simulator", amount, "--reason", "r")

    def test_a_drawdown_is_measured_anew(self):
        with pytest.raises(CommandError, match="not been valued"):
            run("accounts", "reset-drawdown", "simulator", "--reason", "r")
        equity.watch()
        said = run("accounts", "reset-drawdown", "simulator", "--reason", "r")
        assert "drawdown is measured from 1000 on" in said
