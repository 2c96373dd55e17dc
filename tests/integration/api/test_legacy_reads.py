def test_the_account_shows_commissions_in_basis_points(person, exchange):
    from decimal import Decimal

    exchange.book.maker_rate = exchange.book.taker_rate = Decimal("0.0015")
    body = person().get("/account").json()
    assert body["message"] == "Account information retrieved successfully"
    assert body["data"]["can_trade"] is True
    assert body["data"]["maker_commission"] == body["data"]["taker_commission"] == 15
    assert {"asset": "USDT", "free": "100000", "locked": "0"} in body["data"]["balances"]


def test_the_account_of_a_venue_that_is_down_is_503(person, exchange):
    exchange.go_down()
    response = person().get("/account")
    assert response.status_code == 503
    assert response.json()["code"] == "VENUE_UNAVAILABLE"


def test_a_price_is_a_number_with_an_aware_time(person, exchange):
    body = person().get("/price/btc-usdt").json()
    assert body["symbol"] == "BTCUSDT"
    assert body["price"] == 45000.0
    assert body["timestamp"].endswith("Z")


def test_an_unknown_symbol_has_no_price(person, exchange):
    response = person().get("/price/NOPEUSDT")
    assert response.status_code == 404
    assert response.json()["code"] == "SYMBOL_UNKNOWN"


def test_a_slash_in_the_symbol_is_understood(person, exchange):
    assert person().get("/price/BTC/USDT").json()["symbol"] == "BTCUSDT"
