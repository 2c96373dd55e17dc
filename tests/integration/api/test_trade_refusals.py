from tests.integration.api.conftest import trade
from trading.models import Decision


def test_a_denial_names_code_limit_and_actual(trader, exchange):
    response = trade(trader, confidence=0.3)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == "urn:petrosa:problem:confidence-below-min"
    assert body["status"] == 400
    assert body["code"] == "CONFIDENCE_BELOW_MIN"
    assert (body["limit"], body["actual"]) == ("0.5", "0.3")
    assert body["signal_uid"]
    assert body["decision"] == f"/api/v1/decisions/{Decision.objects.get().pk}/"
    assert exchange.count("place_order") == 0


def test_a_venue_rejection_keeps_the_venues_code_and_words(trader, exchange):
    exchange.reject_next(-2010, "Account has insufficient balance for requested action.")
    response = trade(trader)
    assert response.status_code == 400
    body = response.json()
    assert body["code"] == "VENUE_REJECTED"
    assert (body["venue_code"], body["reason_code"]) == (-2010, "INSUFFICIENT_BALANCE")
    assert body["detail"] == "API Error: Account has insufficient balance for requested action."
    assert body["result"]["status"] == "rejected"
    assert body["result"]["success"] is False


def test_an_unknown_symbol_is_denied(trader):
    response = trade(trader, symbol="NOPEUSDT")
    assert response.status_code == 400
    assert response.json()["code"] == "SYMBOL_UNKNOWN"


def test_old_news_is_denied_as_stale(trader):
    response = trade(trader, timestamp="2026-01-01T00:00:00Z")
    assert response.json()["code"] == "SIGNAL_STALE"
