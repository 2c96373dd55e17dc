import pytest

from tests.integration.api.conftest import trade
from trading.models import TradingState


def test_the_emergency_stop_halts_entries(person, trader, exchange):
    risk = person("trading.engage_kill_switch", name="risk")
    response = risk.post("/trading/stop", {"reason": "odd prices"}, format="json")
    assert response.status_code == 200
    assert response.json()["state"]["mode"] == "HALTED"
    assert TradingState.objects.get().reason == "odd prices"
    denied = trade(trader)
    assert denied.status_code == 400
    assert denied.json()["code"] == "TRADING_HALTED"
    assert exchange.count("place_order") == 0


def test_it_needs_no_body(person, exchange):
    risk = person("trading.engage_kill_switch", name="risk")
    assert risk.post("/trading/stop").status_code == 200
    assert TradingState.objects.get().reason == "stopped by risk"


def test_a_body_that_cannot_be_read_does_not_delay_it(person, exchange):
    risk = person("trading.engage_kill_switch", name="risk")
    response = risk.post("/trading/stop", b"{nonsense", content_type="application/json")
    assert response.status_code == 200
    assert TradingState.objects.count() == 1


def test_it_needs_the_permission(trader):
    assert trader.post("/trading/stop").status_code == 403
    assert TradingState.objects.count() == 0


def test_mode_is_another_word_for_level(person, exchange):
    risk = person("trading.engage_kill_switch", name="risk")

    assert (
        risk.post("/trading/stop", {"mode": "FLATTEN"}, format="json").json()["state"]["mode"]
        == "FLATTEN"
    )


def test_of_two_that_differ_the_stricter_counts(person, exchange):
    risk = person("trading.engage_kill_switch", name="risk")
    answer = risk.post(
        "/trading/stop", {"mode": "CANCEL_OPEN", "level": "REDUCE_ONLY"}, format="json"
    )

    assert answer.json()["state"]["mode"] == "CANCEL_OPEN"


@pytest.mark.parametrize(
    "part", [{"scope": "symbol", "key": "BTCUSDT"}, {"key": "BTCUSDT"}, {"expires_at": "soon"}]
)
def test_a_part_of_trading_is_refused_by_name(person, exchange, part):
    risk = person("trading.engage_kill_switch", name="risk")
    answer = risk.post("/trading/stop", {"mode": "FLATTEN", **part}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "STOP_FIELD_UNKNOWN")
    assert answer.json()["field"] in part
    assert not TradingState.objects.exists()
