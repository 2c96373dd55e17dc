from tests.integration.api.conftest import trade


def test_a_market_buy_is_answered_with_its_fill(trader):
    response = trade(trader)
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["message"] == "Signal processed successfully"
    assert body["signal_id"] == "momentum_v1"
    assert body["signal_uid"]
    result = body["result"]
    assert result["status"] == "filled"
    assert (result["side"], result["type"]) == ("buy", "market")
    assert result["amount"] == result["quantity"] == 0.001
    assert result["fill_price"] == 45000.0
    assert result["total_value"] == 45.0
    assert result["fees"] == 0.045
    assert result["fees_by_asset"] == {"BTC": 0.000001}
    assert result["simulated"] is True
    assert result["order_id"]
    assert result["stop_loss"] < 45000


def test_numbers_are_json_numbers(trader):
    assert b'"fill_price":45000.0' in trade(trader).content


def test_a_resting_limit_order_says_so(trader):
    body = trade(trader, order_type="limit", price=40000, stop_loss=39000, take_profit=45000).json()
    assert body["result"]["status"] == "open"
    assert body["result"]["filled_quantity"] == 0
    assert body["result"]["fill_price"] is None
