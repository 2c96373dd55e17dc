from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from signals_app.models import BacktestSweep, BacktestTrial
from signals_app.services import sweeps

GRID = {"fast": "5,10", "slow": "20:40:20"}


@pytest.fixture
def ask(wish):
    def asking(grid=GRID, windows=1, ratio=1):
        return sweeps.ask(wish=wish, grid=grid, windows=windows, ratio=ratio, actor="ann")

    return asking


def run_all():
    for pk in BacktestTrial.objects.order_by("number").values_list("pk", flat=True):
        sweeps.carry_out(pk)


def test_every_combination_is_tried_and_summed_up(ask):
    sweep, is_new = ask()
    assert (is_new, sweep.trials_count) == (True, 4)
    run_all()
    sweep.refresh_from_db()
    assert (sweep.status, sweep.progress) == ("done", 1)
    assert sweep.results["deflated"]["trials"] == 4
    assert len(sweep.results["chosen"]) == 1
    assert sweep.results["heat"]["columns"] == [5.0, 10.0]


def test_progress_counts_the_trials(ask):
    sweep, _ = ask()
    sweeps.carry_out(sweep.trials.get(number=0).pk)
    sweep.refresh_from_db()
    assert (sweep.status, sweep.progress) == ("running", 0.25)


def test_the_same_sweep_is_not_run_twice(ask):
    first, _ = ask()
    second, is_new = ask()
    assert (second.pk, is_new) == (first.pk, False)


def test_a_cancelled_sweep_runs_no_more_trials(ask):
    sweep, _ = ask()
    sweeps.cancel(sweep.pk, actor="ann")
    run_all()
    assert set(BacktestTrial.objects.values_list("status", flat=True)) == {"cancelled"}


def test_a_trial_whose_worker_was_killed_is_taken_back(ask):
    sweep, _ = ask()
    old = timezone.now() - timedelta(minutes=10)
    BacktestTrial.objects.filter(number=0).update(status="running", attempt=1, seen_at=old)
    sweeps.look_after()
    assert sweep.trials.get(number=0).status == "queued"
    run_all()
    sweep.refresh_from_db()
    assert sweep.status == "done"


def test_a_trial_that_kills_every_worker_ends(ask):
    sweep, _ = ask()
    old = timezone.now() - timedelta(minutes=10)
    BacktestTrial.objects.update(status="running", attempt=3, seen_at=old)
    sweeps.look_after()
    sweep.refresh_from_db()
    assert sweep.status == "failed"
    assert "worker ended 3 times" in sweep.error


@pytest.mark.parametrize(
    ("grid", "windows", "words"),
    [
        ({"fast": "1:500:1", "slow": "2:500:1"}, 1, "249,500 trials are too many"),
        ({"fast": "1:100000000:1"}, 1, "100,000,000 values"),
        ({"fast": "a"}, 1, "write 'a' as"),
        ({"fast": "0"}, 1, "not between"),
        ({"faster": "1"}, 1, "has only"),
        ({}, 1, "name at least one"),
        (GRID, 20, "leave 0.3 days"),
    ],
)
def test_an_absurd_sweep_is_refused_with_the_number(ask, grid, windows, words):
    with pytest.raises(ValidationError) as refused:
        ask(grid=grid, windows=windows)
    assert words in str(refused.value)


def test_the_page_shows_the_table_and_the_heat_map(browser, ask):
    sweep, _ = ask()
    run_all()
    page = browser.get(reverse("admin:signals_app_backtestsweep_change", args=(sweep.pk,)))
    text = page.content.decode()
    assert "Chosen before, measured after" in text
    assert "rgba(" in text
    assert "fast 5, slow 20" in text


def test_the_form_queues_one(browser, history):
    from tests.integration.backtests.test_backtests_in_the_admin import NEW

    form = {**NEW, "params": "", "grid": "fast=5,10", "windows": "1", "ratio": "1"}
    browser.post(reverse("admin:signals_app_backtestsweep_new"), form)
    assert BacktestSweep.objects.get().trials_count == 2


def test_the_page_counts_trials_while_it_runs(browser, ask):
    sweep, _ = ask()
    sweeps.carry_out(sweep.trials.get(number=0).pk)
    page = browser.get(reverse("admin:signals_app_backtestsweep_progress", args=(sweep.pk,)))
    assert "1 of 4 trials done" in page.content.decode()
