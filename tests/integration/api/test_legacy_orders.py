from typing import Any

import pytest

from tests.integration.api.conftest import trade
from trading.models import Order

RESTING: dict[str, Any] = {
    "order_type": "limit",
    "price": 40000,
    "stop_loss": 39000,
    "take_profit": 45000,
}


@pytest.fixture
def resting(trader):
    return trade(trader, **RESTING).json()["result"]


def path(result, name="order_id"):
    return f"/order/BTCUSDT/{result[name]}"


@pytest.mark.parametrize("name", ["order_id", "client_order_id"])
def test_an_order_is_found_by_the_venues_id_and_by_ours(trader, resting, name):
    body = trader.get(path(resting, name)).json()
    assert body["status"] == "open"
    assert body["client_order_id"] == resting["client_order_id"]
    assert body["confirmed_by_venue"] is True


def test_asking_brings_a_fill_that_nobody_told_us_of(trader, resting, exchange):
    exchange.fill(resting["client_order_id"])
    assert trader.get(path(resting)).json()["status"] == "filled"


def test_while_the_venue_is_away_our_own_word_stands(trader, resting, exchange):
    exchange.go_down()
    body = trader.get(path(resting)).json()
    assert body["status"] == "open"
    assert body["confirmed_by_venue"] is False


def test_an_unknown_order_is_404(trader):
    response = trader.get("/order/BTCUSDT/12345678")
    assert response.status_code == 404
    assert response.json()["code"] == "ORDER_UNKNOWN"


def test_an_order_of_another_symbol_is_404(trader, resting):
    assert trader.get(f"/order/ETHUSDT/{resting['order_id']}").status_code == 404


def test_cancelling_needs_its_own_permission(trader, resting):
    response = trader.delete(path(resting))
    assert response.status_code == 403
    assert "trading.cancel" in response.json()["detail"]


def test_a_cancelled_order_is_answered_as_such(resting, person):
    client = person("trading.cancel", name="bob")
    body = client.delete(path(resting)).json()
    assert body["message"] == "Order cancelled"
    assert body["order_id"] == resting["order_id"]
    assert body["result"]["status"] == "canceled"
    statuses = Order.objects.filter(role="entry").values_list("status", flat=True)
    assert list(statuses) == ["CANCELED"]


def test_what_is_filled_cannot_be_cancelled(resting, person, exchange):
    exchange.fill(resting["client_order_id"])
    client = person("trading.cancel", name="bob")
    response = client.delete(path(resting))
    assert response.status_code == 409
    assert response.json()["result"]["status"] == "filled"


def test_a_cancel_whose_outcome_is_unknown_is_202(resting, person, exchange):
    exchange.lose_cancel_reply_next()
    client = person("trading.cancel", name="bob")
    assert client.delete(path(resting)).status_code == 202


def test_cancelling_while_the_venue_is_down_is_503(resting, person, exchange):
    exchange.go_down()
    client = person("trading.cancel", name="bob")
    assert client.delete(path(resting)).status_code == 503
