"""Limits over the API: what holds, changes with a reason, and who may."""

from __future__ import annotations

import pytest

from trading.models import LimitChange

WISH = {
    "scope": "symbol",
    "key": "BTCUSDT",
    "name": "max_position_notional",
    "value": "2500",
    "reason": "thin book",
}


@pytest.fixture
def risk_officer(exchange, person):
    return person("trading.change_limit", "trading.approve_limitchange")


def post(client, path, body):
    return client.post(path, body, format="json")


def test_a_limit_is_set_and_holds(risk_officer):
    answer = post(risk_officer, "/api/v1/limit-changes/", WISH)
    assert answer.status_code == 201, answer.content
    assert answer.json()["after"] == "2500"
    found = risk_officer.get("/api/v1/limits/effective?symbol=BTCUSDT").json()
    [held] = [one for one in found if one["name"] == "max_position_notional"]
    assert (held["value"], held["source"]) == ("2500", "symbol BTCUSDT")


def test_setting_it_again_changes_nothing(risk_officer):
    post(risk_officer, "/api/v1/limit-changes/", WISH)
    assert post(risk_officer, "/api/v1/limit-changes/", WISH).status_code == 204


def test_a_looser_one_waits_for_another(risk_officer, settings):
    settings.FOUR_EYES = True
    looser = WISH | {"value": "20000"}
    answer = post(risk_officer, "/api/v1/limit-changes/", looser)
    assert answer.status_code == 202
    own = f"/api/v1/limit-changes/{answer.json()['id']}/approve/"
    refused = post(risk_officer, own, {"reason": "me too"})
    assert refused.status_code == 409
    assert refused.json()["code"] == "SECOND_PERSON_NEEDED"
    assert LimitChange.objects.get(pk=answer.json()["id"]).state == "pending"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"value": "lots"}, "value"),
        ({"name": "max_luck"}, "name"),
        ({"scope": "planet"}, "scope"),
        ({"key": ""}, "key"),
        ({"reason": ""}, "reason"),
        ({"value": 2500}, "value"),
    ],
)
def test_nonsense_is_named(risk_officer, wrong, field):
    answer = post(risk_officer, "/api/v1/limit-changes/", WISH | wrong)
    assert answer.status_code == 400
    assert field in str(answer.json())


def test_an_unknown_account_is_told(risk_officer):
    answer = risk_officer.get("/api/v1/limits/effective?account=nobody")
    assert answer.status_code == 404
    assert answer.json()["code"] == "ACCOUNT_UNKNOWN"


def test_who_may_not_change_limits_cannot(trader):
    assert post(trader, "/api/v1/limit-changes/", WISH).status_code == 403
    assert not LimitChange.objects.filter(scope="symbol").exists()


def test_a_filter_nobody_knows_is_refused(risk_officer):
    answer = risk_officer.get("/api/v1/limits/effective?strategy=skew")
    assert answer.status_code == 400
    assert "strategy" in str(answer.json())


def test_a_number_is_told_how_to_be_written(risk_officer):
    answer = post(risk_officer, "/api/v1/limit-changes/", WISH | {"value": 0.7})
    assert 'Write it as text, such as "0.7"' in answer.json()["detail"]
