"""A stop lets no new entry leave; what rests at the venue stays there, and the answer says so."""

from __future__ import annotations

import pytest

from tests.integration.api.conftest import trade
from trading.models import Order


@pytest.fixture
def risk(person):
    return person("trading.engage_kill_switch", name="risk")


def test_a_resting_entry_is_counted_and_named(risk, trader, exchange):
    trade(trader, order_type="limit", price=40000, stop_loss=39000, take_profit=45000)
    trade(trader)  # filled: nothing rests of it
    body = risk.post("/trading/stop").json()
    order = Order.objects.get(role="entry", status="OPEN")
    assert body["message"] == "Trading stopped; 1 entry still rests at the venue and may fill"
    assert body["resting_entries"] == 1
    assert body["resting_entry_urls"] == [f"/api/v1/orders/{order.pk}/"]
    assert risk.get(body["resting_entry_urls"][0]).json()["status"] == "OPEN"
    assert [o["id"] for o in risk.get(body["resting_entries_list"]).json()["results"]] == [order.pk]
    assert exchange.count("cancel_order") == exchange.count("cancel_order_list") == 0


def test_where_nothing_rests_it_says_so(risk, exchange):
    body = risk.post("/trading/stop").json()
    assert body["message"] == "Trading stopped"
    assert (body["resting_entries"], body["resting_entry_urls"]) == (0, [])


def test_the_description_tells_it(risk):
    text = risk.get("/api/schema/").content.decode()
    assert "may still fill" in " ".join(text.split())
