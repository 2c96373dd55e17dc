"""FLATTEN through the whole product: entries go, what is held is sold, the report says so."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.product import a_signal

pytestmark = pytest.mark.timeout(600)
SYMBOL = "LINKUSDT"
STATES = "/api/v1/trading-state/"


@pytest.fixture
def flatten(whole):
    made = []

    def act():
        wish = {"mode": "FLATTEN", "scope": "symbol", "key": SYMBOL, "reason": "drill"}
        answer = whole.post(STATES, wish)
        assert answer.status == 201, answer
        made.append(answer.body["id"])
        return answer.body["id"]

    yield act
    for state_id in made:
        whole.post(f"{STATES}{state_id}/release/", {"reason": "the drill is over"})


def orders(product, query):
    return product.get(f"/api/v1/orders/?symbol={SYMBOL}&{query}").body["results"]


def test_entries_are_cancelled_and_positions_sold(whole, flatten):
    mark = Decimal(whole.get(f"/price/{SYMBOL}").body["price"])
    bought = {"symbol": SYMBOL, "quantity": float(round(50 / mark, 1)), "price": float(mark)}
    below = {"order_type": "limit", "price": float(round(mark * Decimal("0.95"), 2))}
    levels = {"stop_loss": float(round(mark * Decimal("0.9"), 2))}
    assert whole.post("/trade", a_signal(**bought, **levels)).status == 200
    assert whole.post("/trade", a_signal(**(bought | below), **levels)).status == 200
    plan = whole.get(f"{STATES}plan/?mode=FLATTEN&scope=symbol&key={SYMBOL}").body
    assert (len(plan["cancels"]), len(plan["closes"])) == (1, 1)

    state_id = flatten()
    report = whole.eventually(lambda: finished(whole, state_id))

    assert report["counts"] == {"done": 2, "waits": 0, "failed": 0}
    assert orders(whole, "is_open=true") == []
    [close] = orders(whole, "role=exit")
    assert (close["status"], close["type"]) == ("FILLED", "MARKET")
    assert close["decision"] is not None
    held = whole.get(f"/api/v1/positions/?symbol={SYMBOL}").body["results"][0]
    assert Decimal(held["quantity"]) < Decimal("0.1")
    refused = whole.post("/trade", a_signal(**bought, **levels))
    assert refused.body["code"] == "TRADING_FLATTEN"


def finished(product, state_id):
    answer = product.get(f"{STATES}{state_id}/report/")
    return answer.body if answer.status == 200 and answer.body["finished_at"] else None
