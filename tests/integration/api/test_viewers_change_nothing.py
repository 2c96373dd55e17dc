"""Every writing door of the API, as its own description lists them, is shut to plain viewers."""

from __future__ import annotations

import pytest

from signals_app.models import Signal
from trading.models import Order, TradingState

OPEN_TO_ALL = "/api/v1/auth/"  # getting and giving back one's own credentials


@pytest.fixture
def doors(description) -> list[tuple[str, str]]:
    return [
        (method, path.format(id=1, uid="u", symbol="BTCUSDT", order_id="1", strategy_id="s"))
        for path, operations in description["paths"].items()
        for method in operations
        if method != "get" and not path.startswith(OPEN_TO_ALL)
    ]


def test_each_of_them(exchange, person, doors):
    assert ("post", "/trade") in doors
    viewer = person()

    answers = {door: getattr(viewer, door[0])(door[1], {}, format="json") for door in doors}

    assert {door: a.status_code for door, a in answers.items()} == dict.fromkeys(doors, 403)
    assert not Signal.objects.exists()
    assert not Order.objects.exists()
    assert not TradingState.objects.exists()


def test_without_a_login_they_are_401(client, exchange, doors):
    for method, path in doors:
        assert getattr(client, method)(path).status_code == 401, path
