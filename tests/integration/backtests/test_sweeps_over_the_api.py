from __future__ import annotations

import pytest

from signals_app.models import BacktestSweep
from signals_app.services import sweeps
from tests.integration.backtests.conftest import ID

WAY = "/api/v1/sweeps"
BODY = {
    "strategy_id": ID,
    "symbol": "btcusdt",
    "interval": "1m",
    "grid": {"fast": "5,10", "slow": "20:40:20"},
    "windows": 1,
    "ratio": 1,
}
MAY = "signals_app.run_backtest"


def run_all(pk):
    for trial in BacktestSweep.objects.get(pk=pk).trials.all():
        sweeps.carry_out(trial.pk)


def test_it_is_queued_run_and_read_with_the_warning_of_luck(person, history):
    ann = person(MAY)
    made = ann.post(WAY, BODY, format="json")
    assert (made.status_code, made.json()["trials_count"]) == (201, 4)
    way = f"{WAY}/{made.json()['id']}"
    assert ann.get(way).json()["results"] is None
    run_all(made.json()["id"])
    told = ann.get(way).json()
    assert (told["status"], told["trials_done"]) == ("done", 4)
    assert told["results"]["deflated"]["trials"] == 4
    assert told["results"]["warning"]
    assert told["trials"][0]["params"] == {"fast": 5.0, "slow": 20.0}
    (row,) = ann.get(WAY).json()["results"]
    assert "results" not in row


def test_a_double_click_is_one_sweep(person, history):
    ann = person(MAY)
    first, second = (ann.post(WAY, BODY, format="json") for _ in range(2))
    assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])


def test_without_the_permission_nothing_is_run(person, history):
    assert person("trading.trade").post(WAY, BODY, format="json").status_code == 403
    assert not BacktestSweep.objects.exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"grids": {}}, "grids"),
        ({"grid": {"faster": "1,2"}}, "grid"),
        ({"grid": {}}, "grid"),
        ({"windows": 25}, "windows"),
        ({"interval": "7m"}, "interval"),
    ],
)
def test_a_fault_names_its_field(person, history, change, named):
    answer = person(MAY).post(WAY, {**BODY, **change}, format="json")
    assert answer.status_code == 400
    assert named in answer.content.decode()


def test_a_field_a_backtest_does_not_know_is_refused(person, history, enqueued):
    body = {"strategy_id": ID, "symbol": "BTCUSDT", "interval": "1m", "feebps": "0"}
    answer = person(MAY).post("/api/v1/backtests", body, format="json")
    assert answer.status_code == 400
    assert "feebps" in answer.content.decode()


def test_it_is_cancelled_once(person, history):
    ann = person(MAY)
    way = f"{WAY}/{ann.post(WAY, BODY, format='json').json()['id']}"
    assert ann.post(f"{way}/cancel").json()["status"] == "cancelled"
    assert ann.post(f"{way}/cancel").status_code == 409
    assert ann.get(f"{WAY}/999999").status_code == 404
