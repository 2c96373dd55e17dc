"""Our strategies over the API."""

from __future__ import annotations

import pytest

from audit.models import Event
from signals_app.strategies import catalogue

pytestmark = pytest.mark.django_db
SKEW = "/api/v1/strategies/orderbook_skew"
MAY = "signals_app.change_strategysetting"


def test_all_are_listed_with_their_parameters(person):
    body = person().get("/api/v1/strategies").json()
    assert [one["strategy_id"] for one in body] == [s.strategy_id for s in catalogue.SPECS]
    skew = next(one for one in body if one["strategy_id"] == "orderbook_skew")
    params = {param["name"]: param["value"] for param in skew["params"]}
    assert params["top_levels"] == 5
    assert skew["presets"]["recommended"] == {"min_spread_percent": 0}


def test_one_is_read(person):
    assert person().get(SKEW).json()["mode"] == "live"
    assert person(name="bob").get("/api/v1/strategies/none").status_code == 404


def test_a_change_holds_and_is_on_record(person):
    asked = {"mode": "shadow", "params": {"buy_threshold": 2}, "reason": "to be watched"}
    answer = person(MAY).patch(SKEW, asked, format="json")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["mode"], body["version"]) == ("shadow", 2)
    assert Event.objects.get(kind="strategy.changed").data["reason"] == "to be watched"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"params": {"buy_threshold": 0}}, "params"),
        ({"params": {"luck": 1}}, "params"),
        ({"symbols": ["BTC/*"]}, "symbols"),
        ({"timeframes": ["1m"]}, "timeframes"),
        ({"mood": "good"}, "mood"),
    ],
)
def test_nonsense_is_refused_by_field(person, wrong, field):
    answer = person(MAY).patch(SKEW, {"reason": "x"} | wrong, format="json")
    assert answer.status_code == 400
    assert answer.json()["field"] == field


def test_a_reason_is_needed(person):
    assert person(MAY).patch(SKEW, {"mode": "off"}, format="json").status_code == 400


def test_without_the_permission_nothing_changes(person):
    asked = {"mode": "off", "reason": "x"}
    assert person().patch(SKEW, asked, format="json").status_code == 403


def test_parameters_that_are_not_named_stay_and_null_puts_one_back(person):
    ann = person(MAY)
    ann.patch(SKEW, {"params": {"buy_threshold": 2}, "reason": "x"}, format="json")
    asked = {"params": {"top_levels": 7}, "reason": "x"}
    body = ann.patch(SKEW, asked, format="json").json()
    values = {param["name"]: param["value"] for param in body["params"]}
    assert (values["buy_threshold"], values["top_levels"]) == (2, 7)
    asked = {"params": {"top_levels": None}, "reason": "x"}
    body = ann.patch(SKEW, asked, format="json").json()
    values = {param["name"]: param["value"] for param in body["params"]}
    assert (values["buy_threshold"], values["top_levels"]) == (2, 5)


def test_a_version_that_no_longer_holds_is_a_conflict(person):
    ann = person(MAY)
    asked = {"mode": "shadow", "reason": "x", "version": 1}
    assert ann.patch(SKEW, asked, format="json").status_code == 200
    late = ann.patch(SKEW, asked | {"mode": "off"}, format="json")
    assert (late.status_code, late.json()["code"]) == (409, "CHANGED_MEANWHILE")
    assert "by ann (version 2)" in late.json()["detail"]
    assert ann.get(SKEW).json()["mode"] == "shadow"
