"""JSON nested deeper than anybody means is a bad request, wherever it is sent."""

from __future__ import annotations

import pytest

MAY = ("signals_app.change_strategysetting", "signals_app.run_backtest")
DOORS = [
    ("patch", "/api/v1/strategies/orderbook_skew"),
    ("post", "/api/v1/backtests"),
]


@pytest.mark.parametrize("deep", ["[" * 100_000, "[" * 900 + "]" * 900, '{"reason":' * 100_000])
@pytest.mark.parametrize(("verb", "way"), DOORS)
def test_it_is_a_bad_request(person, verb, way, deep):
    answer = getattr(person(*MAY), verb)(way, deep, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "PARSE_ERROR"
    assert "nested deeper" in answer.json()["detail"]


def test_a_field_nested_too_deep_is_a_bad_request(person):
    body = '{"reason": "x", "symbols": ' + "[" * 900 + "]" * 900 + "}"
    answer = person(*MAY).patch(DOORS[0][1], body, content_type="application/json")
    assert answer.status_code == 400
    assert "nested deeper" in answer.json()["detail"]


def test_an_emergency_stop_never_waits_for_its_body_to_be_understood(person):
    ann = person("trading.engage_kill_switch")
    answer = ann.post("/trading/stop", "[" * 100_000, content_type="application/json")
    assert answer.status_code == 200
