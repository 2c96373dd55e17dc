"""`manage.py tie_out`: our ledger beside a venue that has, or has not, the same."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.fakes.exchange import FakeExchange
from trading.models import Fill, Order, Position
from trading.services.money import accounts, ledger
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def traded(send, venue: FakeExchange) -> None:
    """A position bought twice, partly sold again, protected; fees in base and in quote."""
    send(quantity=0.02)
    send(quantity=0.01)
    send(action="sell", quantity=0.005)
    keeper.ensure(Position.objects.get().pk, actor="test")


def run(*words: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("tie_out", *words, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(str(ended.code))
    return out.getvalue(), 0


def test_books_that_agree_say_so():
    said, code = run()
    assert code == 0, said
    assert "agrees (1 symbols, 3 trades)" in said


def test_a_fill_that_is_missing_here_is_told(venue):
    Fill.objects.earliest("pk").delete()
    said, code = run()
    assert code == 1
    assert "is not booked here: venue 0.02" in said
    assert "has another quantity than its fills give: ours 0.02497, fills " in said


def test_a_fill_that_is_changed_is_told():
    Fill.objects.filter(side="BUY").update(price=1)
    said, code = run()
    assert code == 1
    assert "has another price: ours 1," in said
    assert "has another average entry price than its fills give" in said


def test_an_order_that_rests_only_here_is_told(venue):
    resting = Order.objects.filter(role="stop_loss", status="OPEN").get()
    venue.cancel_at_venue(resting.client_order_id)
    said, code = run()
    assert code == 1
    assert f"order {resting.client_order_id} is open here, not at the venue" in said


def test_coins_that_are_gone_are_told(venue):
    Position.objects.update(quantity=5)
    said, code = run()
    assert code == 1
    assert "BTC the venue has less than we hold: ours 5," in said


def test_coins_of_somebody_else_are_no_difference(venue):
    venue.deposit("BTC", 3)
    said, code = run()
    assert code == 0
    assert "BTC at the venue are not ours" in said


def test_programs_read_it_too():
    told = json.loads(run("--json")[0])
    assert told[0]["agrees"] is True
    assert told[0]["trades"] == 3


def test_a_venue_that_cannot_be_asked_is_no_agreement(venue):
    venue.go_down()
    with pytest.raises(CommandError, match="not compared") as ended:
        run()
    assert ended.value.returncode == 2


def test_no_account_at_all_is_no_agreement():
    accounts.ensure_first()
    with pytest.raises(CommandError, match="no venue account"):
        run("--environment", "demo")


def test_money_of_accounts_is_compared_with_the_wallet(venue):
    account = Position.objects.select_related("account").get().account
    accounts.ensure_first()
    ledger.move(account.pk, Decimal(5000), actor="test", reason="its own")
    said, code = run()
    assert code == 0, said
    assert "USDT at the venue belong to no account's ledger" in said

    venue.deposit("USDT", "-97000")
    said, code = run()
    assert code == 1
    assert "USDT the venue has less than our accounts call their own: ours 5000" in said
