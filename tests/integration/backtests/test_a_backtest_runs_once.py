from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from audit.models import Event
from signals_app.models import BacktestReport, BacktestRun
from signals_app.services import backtest_plan, backtests
from signals_app.services.backtests import NotPossible


@pytest.fixture
def ask(wish, enqueued, django_capture_on_commit_callbacks):
    def asking():
        with django_capture_on_commit_callbacks(execute=True):
            return backtests.ask(wish=wish, actor="ann")

    return asking


def kinds():
    return list(
        Event.objects.filter(subject_type="backtest").order_by("pk").values_list("kind", flat=True)
    )


def test_it_is_asked_for_run_and_told(ask, enqueued):
    run, is_new = ask()
    assert is_new
    assert enqueued == [run.pk]
    assert backtests.carry_out(run.pk)
    run.refresh_from_db()
    assert (run.status, run.progress, run.error) == ("done", 1, "")
    assert run.figures["trades"] > 0
    told = BacktestReport.objects.get(run=run).told()
    assert told["digest"] == run.digest
    assert kinds() == ["backtest.asked", "backtest.done"]


def test_a_double_click_is_one_run(ask, enqueued):
    first, _ = ask()
    second, is_new = ask()
    assert (second.pk, is_new) == (first.pk, False)
    assert enqueued == [first.pk]


def test_two_workers_run_it_once(ask):
    run, _ = ask()
    assert backtests.carry_out(run.pk)
    assert not backtests.carry_out(run.pk)


def test_a_cancelled_one_is_not_run(ask):
    run, _ = ask()
    backtests.cancel(run.pk, actor="bob")
    assert not backtests.carry_out(run.pk)
    assert kinds() == ["backtest.asked", "backtest.cancelled"]


def test_cancelling_stops_it_while_it_runs(ask, monkeypatch):
    run, _ = ask()
    plan = backtest_plan.candles_of

    def cancelled_meanwhile(found):
        backtests.cancel(run.pk, actor="bob")
        return plan(found)

    monkeypatch.setattr(backtest_plan, "candles_of", cancelled_meanwhile)
    assert not backtests.carry_out(run.pk)
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert not BacktestReport.objects.exists()


def test_a_killed_worker_is_told_and_it_can_be_started_again(ask, enqueued):
    run, _ = ask()
    long_ago = timezone.now() - timedelta(minutes=10)
    BacktestRun.objects.update(status="running", attempt=1, seen_at=long_ago)
    backtests.look_after()
    run.refresh_from_db()
    assert run.status == "lost"
    assert "Start it again" in run.error
    again = backtests.again(run.pk, actor="ann")
    assert again.status == "queued"
    assert backtests.carry_out(run.pk)
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("done", 2)


def test_a_worker_given_up_for_lost_writes_nothing(ask, monkeypatch):
    run, _ = ask()
    load = backtest_plan.candles_of

    def lost_meanwhile(found):
        BacktestRun.objects.update(status="lost")
        return load(found)

    monkeypatch.setattr(backtest_plan, "candles_of", lost_meanwhile)
    backtests.carry_out(run.pk)
    run.refresh_from_db()
    assert run.status == "lost"
    assert not BacktestReport.objects.exists()


def test_one_that_runs_is_left_alone(ask):
    ask()
    BacktestRun.objects.update(status="running", seen_at=timezone.now())
    assert backtests.look_after() == []
    assert BacktestRun.objects.get().status == "running"


def test_one_the_broker_forgot_is_enqueued_anew(ask):
    run, _ = ask()
    later = timezone.now() + timedelta(minutes=2)
    assert backtests.look_after(now=later) == [run.pk]
    assert backtests.look_after(now=later) == []


def test_one_that_is_done_cannot_be_cancelled_or_repeated(ask):
    run, _ = ask()
    backtests.carry_out(run.pk)
    with pytest.raises(NotPossible, match="done"):
        backtests.cancel(run.pk, actor="ann")
    with pytest.raises(NotPossible, match="done"):
        backtests.again(run.pk, actor="ann")


def test_a_failure_is_told(ask, monkeypatch):
    run, _ = ask()

    def broken(found):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(backtest_plan, "candles_of", broken)
    backtests.carry_out(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "RuntimeError: no such luck")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("strategy_id", "nobody", "none of our strategies"),
        ("interval", "7m", "is no interval"),
        ("start", "yesterday", "write 2025-01-31"),
        ("start", "2030-01-01", "fetch its history"),
        ("params", {"faster": 1}, "has only fast, slow"),
        ("fee_bps", "much", "not a number"),
        ("fee_bps", "-1", "between 0 and"),
        ("cash", "0", "not above 0"),
        ("sizing_model", "all in", "choose one of"),
        ("symbol", "B", ""),
        ("limits", [{"name": "no_such", "value": "1"}], "is no limit"),
        ("environment", "moon", "choose one of"),
    ],
)
def test_what_cannot_be_run_is_refused_by_its_field(wish, field, value, words):
    from dataclasses import replace

    with pytest.raises(ValidationError) as refused:
        backtests.ask(wish=replace(wish, **{field: value}), actor="ann")
    assert words in str(refused.value.message_dict)
