"""What a fee leaves of a closed trade takes no slot, and gives none away either."""

from __future__ import annotations

from typing import Any

import pytest

from tests.limits import set_limits
from trading.models import Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def dust(send) -> Position:
    send(quantity="0.00333")
    keeper.ensure(Position.objects.get().pk, actor="test")
    send(action="close", quantity=None)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    position.refresh_from_db()
    assert position.is_dust
    assert position.quantity > 0
    return position


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("max_open_positions", "OPEN_POSITIONS_AT_MAX"),
        ("max_open_positions_total", "OPEN_POSITIONS_TOTAL_AT_MAX"),
    ],
)
def test_an_entry_on_top_of_dust_needs_a_slot_of_its_own(send, dust, name, code):
    one: dict[str, Any] = {name: 1}
    set_limits(**one)
    assert send(symbol="ETHUSDT", quantity="0.1").decision.approved
    assert send(symbol="BTCUSDT").decision.code == code


def test_with_a_slot_free_it_is_let_through(send, dust):
    set_limits(max_open_positions=1)
    assert send(symbol="BTCUSDT").decision.approved
