from __future__ import annotations

import pytest

from tests.integration.api.conftest import trade
from tests.integration.trading.withdrawals import a_minute_passes, look, withdraw
from trading.models import Position
from trading.services.protection import keeper

MAY = "trading.settle_shortfall"


@pytest.fixture
def short(trader, exchange) -> Position:
    trade(trader, quantity=0.01, stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    a_minute_passes()
    withdraw(exchange, "0.002")
    return look(position)


def settle(client, position: Position, **body: object):
    address = f"/api/v1/positions/{position.pk}/settle-shortfall/"
    return client.post(address, body, format="json")


def test_it_is_settled_and_listed(short, person):
    client = person(MAY, name="bob")

    answer = settle(client, short, reason="sold by hand")

    assert answer.status_code == 201, answer.content
    assert (answer.json()["quantity"], answer.json()["actor"]) == ("0.002", "bob")
    [listed] = client.get("/api/v1/position-adjustments/").json()["results"]
    assert listed == answer.json()
    assert client.get(f"/api/v1/positions/{short.pk}/").json()["shortfall"] == "0"


def test_a_refusal_has_a_code(short, person):
    client = person(MAY, name="bob")
    settle(client, short, reason="sold by hand")

    answer = settle(client, short, reason="sold by hand")

    assert (answer.status_code, answer.json()["code"]) == (409, "NO_SHORTFALL")


def test_a_reason_is_asked_for(short, person):
    assert settle(person(MAY, name="bob"), short, reason=" ").status_code == 400


def test_it_needs_the_permission(short, trader):
    assert settle(trader, short, reason="sold by hand").status_code == 403


def test_a_venue_that_is_away_is_told(short, person, exchange):
    exchange.go_down()
    answer = settle(person(MAY, name="bob"), short, reason="sold by hand")
    assert answer.status_code == 503
