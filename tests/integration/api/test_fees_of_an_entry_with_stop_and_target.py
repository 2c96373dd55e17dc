"""A venue's reply to an order list tells that a leg filled, not what was paid for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.conftest import trade
from trading.models import Fill, Position

ENTRY: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "quantity": 0.01,
    "order_type": "limit",
    "price": 3000,
    "stop_loss": 2900,
    "take_profit": 3200,
}


def test_an_entry_that_fills_at_once_is_answered_with_its_fee(trader, exchange):
    result = trade(trader, **ENTRY).json()["result"]
    assert exchange.count("place_order_list") == 1
    assert (result["status"], result["fill_price"]) == ("filled", 3000.0)
    assert result["fees_by_asset"] == {"ETH": 0.00001}
    assert result["fees"] == pytest.approx(0.03)
    assert Fill.objects.count() == 1
    assert Position.objects.get().quantity > 0


def test_one_that_rests_has_paid_nothing_and_asks_for_nothing(trader, exchange):
    result = trade(trader, **ENTRY | {"price": 2950}).json()["result"]
    assert result["status"] == "open"
    assert (result["fees"], result["fees_by_asset"]) == (0, {})
    assert exchange.count("trades") == 0


def test_a_fee_that_cannot_be_known_yet_is_null_and_the_fill_is_told(trader, exchange):
    exchange.hide_trades()
    response = trade(trader, **ENTRY)
    assert response.status_code == 200
    result = response.json()["result"]
    assert (result["status"], result["filled_quantity"]) == ("filled", 0.01)
    assert result["total_value"] == 30
    assert (result["fees"], result["fees_by_asset"]) == (None, None)
