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
