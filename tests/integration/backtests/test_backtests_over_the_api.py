from __future__ import annotations

import pytest

from signals_app.models import BacktestRun
from signals_app.services import backtests
from tests.integration.backtests.conftest import ID

WAY = "/api/v1/backtests"
BODY = {"strategy_id": ID, "symbol": "BTCUSDT", "interval": "1m", "params": {"fast": 5}}
MAY = "signals_app.run_backtest"


def test_it_is_queued_run_and_read(person, history, enqueued):
    ann = person(MAY)
    made = ann.post(WAY, BODY, format="json")
    assert made.status_code == 201
    pk = made.json()["id"]
    assert ann.get(f"{WAY}/{pk}/report").status_code == 404
    backtests.carry_out(pk)
    assert ann.get(f"{WAY}/{pk}").json()["status"] == "done"
    report = ann.get(f"{WAY}/{pk}/report").json()
    assert report["figures"]["trades"] > 0
    assert report["setup"]["params"] == {"fast": 5.0, "slow": 30.0}


def test_the_same_one_is_not_run_twice(person, history, enqueued):
    ann = person(MAY)
    first = ann.post(WAY, BODY, format="json")
    second = ann.post(WAY, BODY, format="json")
    assert second.status_code == 200
    assert second.json()["id"] == first.json()["id"]


def test_without_the_permission_nothing_is_run(person, history, enqueued):
    assert person("trading.trade").post(WAY, BODY, format="json").status_code == 403
    assert not BacktestRun.objects.exists()


def test_a_fault_names_its_field(person, history, enqueued):
    answer = person(MAY).post(WAY, {**BODY, "interval": "7m"}, format="json")
    assert answer.status_code == 400
    assert "interval" in answer.content.decode()


def test_a_strange_limit_is_refused(person, history, enqueued):
    body = {**BODY, "limits": [{"name": "max_spread_bps", "value": "much"}]}
    assert person(MAY).post(WAY, body, format="json").status_code == 400


def test_it_is_cancelled_once(person, history, enqueued):
    ann = person(MAY)
    pk = ann.post(WAY, BODY, format="json").json()["id"]
    assert ann.post(f"{WAY}/{pk}/cancel").json()["status"] == "cancelled"
    assert ann.post(f"{WAY}/{pk}/cancel").status_code == 409
    assert ann.post(f"{WAY}/{pk}/again").json()["status"] == "queued"


def test_limits_of_a_run_hold(person, history, enqueued):
    ann = person(MAY)
    body = {**BODY, "limits": [{"name": "min_confidence", "value": "0.99"}]}
    pk = ann.post(WAY, body, format="json").json()["id"]
    backtests.carry_out(pk)
    denied = ann.get(f"{WAY}/{pk}/report").json()["calls"]["denied"]
    assert denied["CONFIDENCE_BELOW_MIN"] > 0


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"slipage_bps": "5"}, "slipage_bps"),
        ({"limits": [{"name": "min_confidence", "value": "0.9", "keys": "a"}]}, "limits.0.keys"),
    ],
)
def test_a_field_that_is_none_is_named(person, history, enqueued, more, field):
    answer = person(MAY).post(WAY, BODY | more, format="json")
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert not BacktestRun.objects.exists()


def test_why_one_is_not_started_again_is_said(person, history, enqueued):
    ann = person(MAY)
    pk = ann.post(WAY, BODY, format="json").json()["id"]
    waiting = ann.post(f"{WAY}/{pk}/again")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "BACKTEST_ACTIVE")
    assert "it waits" in waiting.json()["detail"]
    backtests.carry_out(pk)
    done = ann.post(f"{WAY}/{pk}/again")
    assert (done.status_code, done.json()["code"]) == (409, "BACKTEST_DONE")
    assert "ask for a new one" in done.json()["detail"]


@pytest.mark.parametrize("cash", ["1E+300", "0", "-5"])
def test_money_out_of_bounds_is_told_both_bounds(person, history, enqueued, cash):
    answer = person(MAY).post(WAY, BODY | {"cash": cash}, format="json")
    assert answer.json()["field"] == "cash"
    assert "above 0 and at most 1000000000000" in answer.json()["detail"]
