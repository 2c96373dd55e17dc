import json

import pytest

from signals_app.models import Signal
from tests.integration.api.conftest import signal, trade


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"confidence": 1.2}, "confidence"),
        ({"price": -1}, "price"),
        ({"action": "hold"}, "action"),
        ({"strategy_id": None}, "strategy_id"),
        ({"timestamp": "2026-11-21T12:00:00"}, "timestamp"),
        ({"meta": {"stop_loss": "low"}}, "meta.stop_loss"),
        ({"meta": {"base_amount": 5}}, "quantity"),
        ({"quantity": True}, "quantity"),
    ],
)
def test_the_field_at_fault_is_named(trader, exchange, changes, field):
    response = trade(trader, **changes)
    assert response.status_code == 400, response.content
    assert response.json()["field"] == field
    assert response.json()["code"]
    assert exchange.count("place_order") == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"confidence": NaN}'])
def test_what_is_no_signal_is_400(trader, body):
    response = trader.post("/trade", body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_the_refused_signal_is_kept(trader):
    uid = trade(trader, confidence=1.2).json()["signal_uid"]
    assert Signal.objects.get(uid=uid).status == "rejected"


def test_two_megabytes_of_meta_name_meta(trader):
    response = trade(trader, meta={"note": "x" * 2_000_000})
    assert response.status_code == 400
    assert (response.json()["field"], response.json()["code"]) == ("meta", "TOO_LARGE")


def test_a_body_beyond_reading_is_413(trader, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = trade(trader, meta={"note": "x" * 2000})
    assert response.status_code == 413
    assert response.json()["code"] == "BODY_TOO_LARGE"


def test_a_signal_in_bytes_that_are_no_json_object_but_too_many_is_413(trader):
    response = trader.post("/trade", b"x" * 300_000, content_type="application/json")
    assert response.status_code == 413


def test_the_content_type_does_not_matter(trader):
    body = json.dumps(signal())
    response = trader.post("/trade", body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 200
