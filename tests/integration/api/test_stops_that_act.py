"""CANCEL_OPEN and FLATTEN over the API: shown before, carried out, reported after."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.conftest import trade
from trading import tasks
from trading.models import Order, TradingState

PATH = "/api/v1/trading-state/"
BELOW: dict[str, Any] = {
    "order_type": "limit",
    "price": 44000,
    "stop_loss": 43000,
    "take_profit": 46000,
}


@pytest.fixture
def risk(person, exchange):
    return person("trading.engage_kill_switch", "trading.release_kill_switch", name="risk")


def engage(client, **body):
    return client.post(PATH, {"reason": "odd prices", **body}, format="json")


def test_the_plan_shows_what_would_be_done_and_does_nothing(risk, trader):
    trade(trader)
    trade(
        trader,
        symbol="ETHUSDT",
        **BELOW | {"quantity": 0.1, "price": 2900, "stop_loss": 2800, "take_profit": 3100},
    )
    response = risk.get(f"{PATH}plan/?mode=FLATTEN")

    assert response.status_code == 200, response.content
    body = response.json()
    assert (body["mode"], body["scope"], body["key"]) == ("FLATTEN", "global", "")
    assert [(c["symbol"], c["quantity"]) for c in body["cancels"]] == [("ETHUSDT", "0.1")]
    assert [(c["symbol"], c["quantity"]) for c in body["closes"]] == [("BTCUSDT", "0.000999")]
    assert not TradingState.objects.exists()


def test_the_plan_of_one_symbol(risk, trader):
    trade(trader)
    body = risk.get(f"{PATH}plan?mode=FLATTEN&scope=symbol&key=ETHUSDT").json()

    assert (body["cancels"], body["closes"]) == ([], [])


@pytest.mark.parametrize(
    ("query", "field"),
    [("mode=BOOM", "mode"), ("scope=symbol", "key"), ("scope=moon", "scope"), ("key=x", "key")],
)
def test_a_plan_that_cannot_be_made_is_refused(risk, query, field):
    response = risk.get(f"{PATH}plan/?{query}")

    assert response.status_code == 400
    assert response.json()["field"] == field


def test_a_stop_that_acts_is_carried_out_and_reported(risk, trader):
    trade(trader)
    state = engage(risk, mode="FLATTEN").json()
    assert risk.get(f"{PATH}{state['id']}/report/").status_code == 404
    tasks.empty(state["id"])

    report = risk.get(f"{PATH}{state['id']}/report/").json()
    assert report["counts"] == {"done": 1, "waits": 0, "failed": 0}
    assert (report["left"], report["ended"], report["asked_by"]) == (0, "nothing is left", "risk")
    assert Order.objects.get(role="exit").status == "FILLED"


def test_halt_new_is_another_word_for_halted(risk):
    assert engage(risk, mode="HALT_NEW").json()["mode"] == "HALTED"


def test_the_emergency_stop_takes_a_level(risk, trader):
    trade(trader, **BELOW)
    response = risk.post("/trading/stop", {"level": "CANCEL_OPEN"}, format="json")

    assert response.status_code == 200
    assert response.json()["state"]["mode"] == "CANCEL_OPEN"
    assert response.json()["message"].endswith("wait to be cancelled")
    tasks.empty(TradingState.objects.get().pk)
    assert set(Order.objects.values_list("status", flat=True)) == {"CANCELED"}


@pytest.mark.parametrize("level", ["SELF_DESTRUCT", "ACTIVE", 7, None, ""])
def test_a_level_that_cannot_be_read_halts(risk, level):
    response = risk.post("/trading/stop", {"level": level}, format="json")

    assert response.status_code == 200
    assert response.json()["state"]["mode"] == "HALTED"


def test_the_health_page_tells_the_strictest_level(risk):
    engage(risk)
    engage(risk, mode="FLATTEN")

    assert "FLATTEN" in risk.get("/health").content.decode()
