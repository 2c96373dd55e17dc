from tests.integration.api.conftest import trade


def test_an_unknown_outcome_is_202_and_says_where_to_look(trader, exchange):
    exchange.lose_reply_next(executed=True)
    response = trade(trader)
    assert response.status_code == 202
    body = response.json()
    assert body["result"]["status"] == "unknown"
    assert body["follow"] == response.headers["Location"]
    assert body["follow"] == f"/api/v1/signals/{body['signal_uid']}/"


def test_an_unknown_outcome_is_not_sent_again_by_a_repeat(trader, exchange):
    exchange.lose_reply_next(executed=True)
    trade(trader, {"Idempotency-Key": "k"})
    assert trade(trader, {"Idempotency-Key": "k"}).status_code == 202
    assert exchange.count("place_order") == 1


def test_an_order_that_never_left_is_503(trader, exchange):
    exchange.drop_next()
    response = trade(trader)
    assert response.status_code == 503
    assert response.json()["code"] == "VENUE_UNAVAILABLE"
    assert response.headers["Retry-After"]
    assert response.json()["signal_uid"]


def test_a_venue_that_is_down_is_503_and_nothing_is_traded(trader, exchange):
    exchange.go_down()
    response = trade(trader)
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert exchange.count("place_order") == 0


def test_a_lost_price_is_503(trader, exchange):
    trade(trader, symbol="ETHUSDT", quantity=0.01)
    exchange.go_down()
    response = trade(trader)
    assert response.status_code == 503
    assert response.json()["code"] == "QUOTE_UNKNOWN"
