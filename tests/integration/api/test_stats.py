import pytest

from tests.integration.api.conftest import trade
from trading.selectors import statistics


@pytest.fixture(autouse=True)
def _fresh_figures():
    statistics.forget()
    yield
    statistics.forget()


def test_the_older_engines_four_keys_are_there(trader, exchange):
    trade(trader)
    trade(trader, symbol="ETHUSDT", quantity=0.01)
    exchange.reject_next()
    trade(trader, symbol="BNBUSDT", quantity=0.1)
    trade(trader, confidence=0.1)
    body = trader.get("/api/v1/stats/").json()
    assert body["trades_total"] == 3
    assert body["trades_success"] == 2
    assert body["trades_failed"] == 1
    assert body["total_volume_usdt"] == 75.0
    assert body["total_volume_usdt_exact"] == "75"
    assert body["denials_by_code"] == {"CONFIDENCE_BELOW_MIN": 1}
    assert body["positions_open"] == 2
    assert body["realised_pnl"] == "-0.075"


def test_with_nothing_traded_everything_is_zero(person):
    body = person().get("/api/v1/stats/").json()
    assert body["trades_total"] == body["total_volume_usdt"] == 0
