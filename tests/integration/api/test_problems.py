import pytest


@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/nothing", "/order/BTCUSDT/", "/api/"])
def test_an_unknown_path_is_a_problem_document(client, db, path):
    response = client.get(path)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "NOT_FOUND"


def test_a_wrong_method_is_a_problem_document(trader):
    response = trader.get("/trade")
    assert response.status_code == 405
    assert response.json()["code"] == "METHOD_NOT_ALLOWED"


def test_a_host_nobody_serves_is_a_problem_document(client, db):
    response = client.get("/account", headers={"Host": "evil.example"})
    assert response.status_code == 400


def test_what_breaks_is_a_500_problem_without_a_stack(trader, exchange, client):
    client.raise_request_exception = False
    trader.raise_request_exception = False
    exchange.go_down(RuntimeError("a bug with a secret"))
    response = trader.get("/account")
    assert response.status_code == 500
    assert response.json()["code"] == "INTERNAL"
    assert "secret" not in response.content.decode()


def test_a_trade_that_breaks_names_the_signal(trader, exchange):
    from tests.integration.api.conftest import trade

    trade(trader)
    exchange.go_down(RuntimeError("a bug"))
    response = trade(trader, symbol="ETHUSDT", quantity=0.01)
    assert response.status_code == 500
    assert response.json()["code"] == "NOT_CARRIED_OUT"
    assert response.json()["signal_uid"]
    assert "bug" not in response.content.decode()


def test_a_browser_that_asks_for_html_gets_the_json(trader):
    response = trader.get("/account", headers={"Accept": "text/html"})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
