from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from exchanges.models import Balance
from petrosa_site.desk import selectors
from trading.models import Position, VirtualAccount
from trading.services.money import accounts, ledger

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> VirtualAccount:
    accounts.ensure_first()
    made = VirtualAccount.objects.select_related("venue_account").get(name="simulator")
    made.capital = Decimal(1000)
    made.save()
    return made


def hold(account: VirtualAccount, symbol: str, quantity: str, price: str, **fields: object) -> None:
    Position.objects.create(
        account=account,
        symbol=symbol,
        quantity=Decimal(quantity),
        average_entry_price=Decimal(price),
        is_open=True,
        updated_at=timezone.now(),
        **fields,
    )


def keep(account: VirtualAccount, asset: str, free: str, locked: str = "0") -> None:
    Balance.objects.create(
        venue_account=account.venue_account,
        asset=asset,
        free=Decimal(free),
        locked=Decimal(locked),
        updated_at=timezone.now(),
    )


def test_own_money_and_what_is_in_positions_add_up_to_the_capital(account):
    hold(account, "BTCUSDT", "0.003", "50000.01")
    hold(account, "ETHUSDT", "0.00001", "2990", is_dust=True)

    [shown] = selectors.books()["accounts"]

    assert Decimal(shown["invested"]) == Decimal("150.0299300")
    assert Decimal(shown["own_cash"]) + Decimal(shown["invested"]) == 1000


def test_dust_stands_after_what_is_held(account):
    hold(account, "ADAUSDT", "0.1", "1", is_dust=True)
    hold(account, "BTCUSDT", "0.003", "50000")

    held = selectors.books()["positions"]

    assert [one["symbol"] for one in held] == ["BTCUSDT", "ADAUSDT"]


def test_accounts_that_share_a_wallet_show_it_once(account):
    other = VirtualAccount.objects.create(name="other", venue_account=account.venue_account)
    hold(other, "ETHUSDT", "0.1", "3000")
    keep(account, "ADA", "5")
    keep(account, "ETH", "0.1", "0.2")
    keep(account, "USDT", "10000", "1")

    books = selectors.books()

    [wallet] = books["wallets"]
    totals = [(one["asset"], Decimal(one["total"])) for one in wallet["balances"]]
    assert totals == [("USDT", 10001), ("ETH", Decimal("0.3")), ("ADA", 5)]
    assert {one["locked"] for one in books["accounts"]} == {"1"}


def test_what_is_free_leaves_out_what_another_calls_its_own(account):
    VirtualAccount.objects.create(name="other", venue_account=account.venue_account)
    keep(account, "USDT", "10000")
    ledger.move(account.pk, Decimal(3000), actor="test", reason="on top of its 1000")

    told = {one["name"]: one for one in selectors.books()["accounts"]}

    assert Decimal(told["other"]["free"]) == 6000
    assert Decimal(told[account.name]["own_cash"]) == 4000
