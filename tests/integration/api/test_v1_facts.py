import pytest

from tests.integration.api.conftest import trade

LISTS = ["signals", "decisions", "orders", "fills", "positions", "accounts", "audit"]


@pytest.fixture
def traded(trader):
    return trade(trader).json()


@pytest.mark.parametrize("name", LISTS)
def test_every_list_shows_what_one_trade_left(trader, traded, name):
    body = trader.get(f"/api/v1/{name}/").json()
    assert body["results"], body


@pytest.mark.parametrize("name", [*LISTS, "trading-state", "stats", "audit/export"])
def test_every_list_needs_a_login_and_nothing_more(client, person, exchange, name):
    assert client.get(f"/api/v1/{name}/").status_code == 401
    assert person().get(f"/api/v1/{name}/").status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_facts_cannot_be_written(trader, exchange, name):
    assert trader.post(f"/api/v1/{name}/", {}, format="json").status_code == 405
    assert trader.delete(f"/api/v1/{name}/1/").status_code == 405


def test_money_is_exact_text(trader, traded):
    order = trader.get("/api/v1/orders/?role=entry").json()["results"][0]
    assert order["quantity"] == "0.001"
    assert order["average_price"] == "45000"
    fill = trader.get("/api/v1/fills/").json()["results"][0]
    assert fill["commission"] == "0.000001"


def test_a_decision_lists_every_rule(trader, traded):
    listed = trader.get("/api/v1/decisions/?approved=true").json()["results"][0]
    assert "verdicts" not in listed
    detail = trader.get(f"/api/v1/decisions/{listed['id']}/").json()
    assert {"confidence", "notional", "trading_state"} <= {v["rule"] for v in detail["verdicts"]}
    assert detail["plan"]["quantity"] == "0.001"


def test_an_orders_detail_carries_its_fills(trader, traded):
    order = trader.get("/api/v1/orders/?role=entry").json()["results"][0]
    detail = trader.get(f"/api/v1/orders/{order['id']}/").json()
    assert [f["price"] for f in detail["fills"]] == ["45000"]


def test_an_account_shows_its_limits_and_balances(trader, traded):
    account = trader.get("/api/v1/accounts/?name=simulator").json()["results"][0]
    assert account["is_default"] is True
    assert account["limits"]["min_confidence"] == "0.5"
    assert {b["asset"] for b in account["venue_account"]["balances"]} >= {"USDT"}


def test_open_orders_can_be_asked_for(trader):
    trade(trader, order_type="limit", price=40000, stop_loss=39000, take_profit=45000)
    trade(trader, symbol="ETHUSDT", quantity=0.01)
    found = trader.get("/api/v1/orders/?is_open=true&role=entry").json()["results"]
    assert [o["symbol"] for o in found] == ["BTCUSDT"]


def test_an_unknown_row_is_a_404_problem(trader):
    response = trader.get("/api/v1/orders/999999/")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_lists_do_not_query_per_row(trader, django_assert_max_num_queries):
    for _ in range(4):
        trade(trader, symbol="BTCUSDT", quantity=0.001)
    with django_assert_max_num_queries(5):
        trader.get("/api/v1/orders/")
