from tests.integration.api.conftest import signal, trade
from trading.models import Order


def test_a_repeat_with_the_same_key_gets_the_first_outcome(trader, exchange):
    key = {"Idempotency-Key": "order-7"}
    first = trade(trader, key)
    again = trade(trader, key)
    assert again.status_code == first.status_code == 200
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert exchange.count("place_order") == 1


def test_a_repeat_with_the_same_uid_never_trades_again(trader, exchange):
    body = signal(signal_uid="mine-1")
    answers = [trader.post("/trade", body, format="json").json() for _ in range(3)]
    assert {a["result"]["order_id"] for a in answers} == {answers[0]["result"]["order_id"]}
    assert answers[0]["signal_uid"] == "mine-1"
    assert exchange.count("place_order") == Order.objects.filter(role="entry").count() == 1


def test_a_repeat_of_a_denied_signal_is_denied_again(trader):
    key = {"Idempotency-Key": "k"}
    first = trade(trader, key, confidence=0.2)
    again = trade(trader, key, confidence=0.2)
    assert first.status_code == again.status_code == 400
    assert again.json()["code"] == "CONFIDENCE_BELOW_MIN"
    assert again.headers["Idempotent-Replayed"] == "true"


def test_the_same_key_of_another_person_is_another_key(trader, person, exchange):
    other = person("trading.trade", name="bob")
    key = {"Idempotency-Key": "k"}
    assert trade(trader, key).json()["signal_uid"] != trade(other, key).json()["signal_uid"]
    assert exchange.count("place_order") == 2


def test_a_corrected_signal_may_come_with_the_key_of_the_refused_one(trader):
    key = {"Idempotency-Key": "k"}
    assert trade(trader, key, confidence=1.2).status_code == 400
    assert trade(trader, key).status_code == 200


def test_a_key_that_is_too_long_is_refused_by_name(trader, exchange):
    response = trade(trader, {"Idempotency-Key": "x" * 129})
    assert response.status_code == 400
    assert response.json()["field"] == "Idempotency-Key"
    assert exchange.count("place_order") == 0
