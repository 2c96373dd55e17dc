import pytest

from trading.models import TradingState

PATH = "/api/v1/trading-state/"


@pytest.fixture
def risk(person, exchange):
    return person("trading.engage_kill_switch", "trading.release_kill_switch", name="risk")


def engage(client, **body):
    return client.post(PATH, {"reason": "odd prices", **body}, format="json")


def test_engaging_and_releasing_leaves_both_names_and_reasons(risk):
    made = engage(risk, scope="symbol", key="BTCUSDT", mode="REDUCE_ONLY")
    assert made.status_code == 201, made.content
    state = made.json()
    assert state["in_force"] is True
    assert state["engaged_by"] == "risk"
    done = risk.post(f"{PATH}{state['id']}/release/", {"reason": "calm again"}, format="json")
    assert done.json()["in_force"] is False
    assert done.json()["release_reason"] == "calm again"


def test_a_post_without_the_closing_slash_engages_too(risk):
    assert risk.post(PATH.rstrip("/"), {"reason": "now"}, format="json").status_code == 201
    assert TradingState.objects.get().mode == "HALTED"


def test_releasing_needs_a_reason(risk):
    state = engage(risk).json()
    response = risk.post(f"{PATH}{state['id']}/release/", {}, format="json")
    assert response.status_code == 400
    assert response.json()["field"] == "reason"


def test_releasing_twice_is_a_conflict(risk):
    path = f"{PATH}{engage(risk).json()['id']}/release/"
    risk.post(path, {"reason": "a"}, format="json")
    assert risk.post(path, {"reason": "b"}, format="json").status_code == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "symbol"}, "key"),
        ({"scope": "global", "key": "BTCUSDT"}, "key"),
        ({"scope": "account", "key": "nobody"}, "key"),
        ({"scope": "venue", "key": "moon"}, "key"),
        ({"scope": "galaxy"}, "scope"),
        ({"mode": "ACTIVE"}, "mode"),
        ({"reason": ""}, "reason"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_a_wish_that_would_stop_nothing_is_refused(risk, body, field):
    response = engage(risk, **body)
    assert response.status_code == 400
    assert response.json()["field"] == field
    assert TradingState.objects.count() == 0


def test_what_holds_can_be_asked_for(risk):
    held = engage(risk, scope="symbol", key="BTCUSDT").json()
    gone = engage(risk, scope="symbol", key="ETHUSDT").json()
    risk.post(f"{PATH}{gone['id']}/release/", {"reason": "calm"}, format="json")
    found = risk.get(f"{PATH}?in_force=true").json()["results"]
    assert [s["id"] for s in found] == [held["id"]]


@pytest.mark.parametrize("permission", ["trading.trade", "trading.release_kill_switch"])
def test_engaging_needs_its_permission(person, permission):
    assert engage(person(permission)).status_code == 403


def test_releasing_needs_its_own_permission(person, risk):
    state = engage(risk).json()
    other = person("trading.engage_kill_switch", name="other")
    response = other.post(f"{PATH}{state['id']}/release/", {"reason": "x"}, format="json")
    assert response.status_code == 403


def test_a_reason_is_text(risk):
    response = engage(risk, reason=0)
    assert response.status_code == 400
    assert response.json()["field"] == "reason"
