import pytest

from tests.integration.api.conftest import trade


@pytest.fixture
def replayer(exchange, person):
    return person("signals_app.replay", name="rita")


@pytest.fixture
def halted(person, exchange):
    return person("trading.engage_kill_switch", "trading.release_kill_switch", name="risk")


def denied_while_halted(trader, risk):
    state = risk.post("/trading/stop").json()["state"]
    denied = trade(trader).json()
    assert denied["code"] == "TRADING_HALTED"
    path = f"/api/v1/trading-state/{state['id']}/release/"
    assert risk.post(path, {"reason": "over"}, format="json").status_code == 200
    return denied["signal_uid"]


def test_a_denied_signal_can_be_sent_again(trader, replayer, halted, exchange):
    uid = denied_while_halted(trader, halted)
    response = replayer.post(f"/api/v1/signals/{uid}/replay/")
    assert response.status_code == 200, response.content
    assert response.json()["signal_uid"] != uid
    assert response.json()["result"]["status"] == "filled"
    story = replayer.get(f"/api/v1/signals/{response.json()['signal_uid']}/").json()
    assert story["replay_of"] == uid
    assert story["actor"] == "rita"


def test_sending_it_again_twice_trades_once(trader, replayer, halted, exchange):
    uid = denied_while_halted(trader, halted)
    replayer.post(f"/api/v1/signals/{uid}/replay/")
    second = replayer.post(f"/api/v1/signals/{uid}/replay/")
    assert second.status_code == 409
    assert exchange.count("place_order") == 1


def test_what_was_traded_cannot_be_sent_again(trader, replayer, exchange):
    uid = trade(trader).json()["signal_uid"]
    response = replayer.post(f"/api/v1/signals/{uid}/replay/")
    assert response.status_code == 409
    assert response.json()["code"] == "NOT_REPLAYABLE"
    assert exchange.count("place_order") == 1


def test_it_needs_the_permission(trader):
    uid = trade(trader, confidence=0.1).json()["signal_uid"]
    assert trader.post(f"/api/v1/signals/{uid}/replay/").status_code == 403


def test_a_signal_that_is_denied_again_can_be_sent_a_third_time(trader, replayer):
    uid = trade(trader, confidence=0.1).json()["signal_uid"]
    answers = [replayer.post(f"/api/v1/signals/{uid}/replay/") for _ in range(2)]
    assert [a.status_code for a in answers] == [400, 400]
    assert len({a.json()["signal_uid"] for a in answers}) == 2


def test_a_signal_of_which_only_the_head_was_kept_is_refused(trader, replayer):
    uid = trade(trader, meta={"note": "x" * 300_000}).json()["signal_uid"]
    response = replayer.post(f"/api/v1/signals/{uid}/replay/")
    assert response.status_code == 409
    assert "first bytes" in response.json()["detail"]
