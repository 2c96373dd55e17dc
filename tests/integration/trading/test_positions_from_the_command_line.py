from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.integration.trading.withdrawals import a_minute_passes, look, withdraw
from trading.models import Position, PositionAdjustment
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def short(send, venue) -> Position:
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    a_minute_passes()
    withdraw(venue, "0.002")
    return look(position)


def run(*words: str) -> str:
    out = StringIO()
    call_command("positions", *words, stdout=out)
    return out.getvalue()


def test_a_shortfall_is_settled(short):
    said = run("settle", str(short.pk), "--reason", "sold by hand")
    assert "0.002 BTCUSDT are off the books" in said
    assert "0.00799 are left" in said
    assert PositionAdjustment.objects.get().actor.endswith("(command line)")


def test_a_refusal_ends_with_an_error(short):
    with pytest.raises(CommandError, match="Say where the coins went"):
        run("settle", str(short.pk), "--reason", " ")
    with pytest.raises(CommandError, match="There is no position 99"):
        run("settle", "99", "--reason", "r")


def test_the_list_says_how_each_is_protected(short):
    said = run("list")
    assert f"{short.pk}: 0.00999 BTCUSDT in simulator, protected" in said
    assert "0.002 of 0.00999 is not at the venue" in said
    assert "1 stop at the venue covers 0.00799 of 0.00999." in said
