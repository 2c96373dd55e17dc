from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from signals_app.models import BacktestRun
from signals_app.services import backtests
from tests.integration.backtests.conftest import ID

NEW = {
    "strategy": ID,
    "symbol": "btcusdt",
    "interval": "1m",
    "environment": "simulator",
    "start": "",
    "end": "",
    "params": "fast=5 slow=20",
    "sizing_model": "percent_of_balance",
    "cash": "10000",
    "fee_bps": "10",
    "spread_bps": "1",
    "slippage_bps": "0",
    "depth_per_bps": "0",
    "latency_ms": "100",
}
FORM = "admin:signals_app_backtestrun_new"


def change(run):
    return reverse("admin:signals_app_backtestrun_change", args=(run.pk,))


@pytest.fixture
def asked(browser, history, enqueued):
    browser.post(reverse(FORM), NEW)
    return BacktestRun.objects.get()


def test_the_form_queues_one(asked):
    assert asked.wish["params"] == {"fast": 5.0, "slow": 20.0}
    assert (asked.status, asked.symbol) == ("queued", "BTCUSDT")


def test_sending_the_form_twice_is_one_run(browser, asked):
    browser.post(reverse(FORM), NEW)
    assert BacktestRun.objects.count() == 1


def test_an_objection_stands_at_its_field(browser, history):
    page = browser.post(reverse(FORM), {**NEW, "fee_bps": "lots"}).content.decode()
    assert "is not a number" in page
    assert not BacktestRun.objects.exists()


def test_the_page_watches_it_while_it_waits(browser, asked):
    page = browser.get(change(asked)).content.decode()
    assert reverse("admin:signals_app_backtestrun_progress", args=(asked.pk,)) in page
    assert "Waits for a worker" in page


def test_progress_reloads_the_page_when_it_is_done(browser, asked):
    way = reverse("admin:signals_app_backtestrun_progress", args=(asked.pk,))
    assert "HX-Refresh" not in browser.get(way)
    backtests.carry_out(asked.pk)
    assert browser.get(way)["HX-Refresh"] == "true"


def test_a_done_one_shows_its_report(browser, asked):
    backtests.carry_out(asked.pk)
    page = browser.get(change(asked)).content.decode()
    assert "Buy and hold" in page
    assert "litecharts/lightweight-charts.js" in page
    assert 'id="backtest-data"' in page


def test_the_report_is_a_file_that_needs_nothing_else(browser, asked):
    backtests.carry_out(asked.pk)
    answer = browser.get(reverse("admin:signals_app_backtestrun_page", args=(asked.pk,)))
    page = answer.content.decode()
    assert "attachment" in answer["Content-Disposition"]
    assert "TradingView Lightweight Charts" in page
    assert "<script src" not in page
    assert "<link" not in page


def test_it_can_be_cancelled_and_started_again(browser, asked):
    browser.post(reverse("admin:signals_app_backtestrun_cancel", args=(asked.pk,)))
    asked.refresh_from_db()
    assert asked.status == "cancelled"
    browser.post(reverse("admin:signals_app_backtestrun_again", args=(asked.pk,)))
    asked.refresh_from_db()
    assert asked.status == "queued"


def test_who_may_only_look_can_start_nothing(asked):
    viewer = User.objects.create_user("vera", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_backtestrun"))
    client = Client()
    client.force_login(viewer)
    assert client.get(change(asked)).status_code == 200
    assert client.get(reverse(FORM)).status_code == 403
    assert client.post(reverse(FORM), NEW).status_code == 403
    cancel = reverse("admin:signals_app_backtestrun_cancel", args=(asked.pk,))
    assert client.post(cancel).status_code == 403


def test_a_hole_in_the_candles_is_told(browser, history, enqueued):
    browser.post(reverse(FORM), {**NEW, "end": "2025-01-11"})
    run = BacktestRun.objects.get()
    backtests.carry_out(run.pk)
    assert "3 of 10 days have no candles" in browser.get(change(run)).content.decode()
    run.refresh_from_db()
    assert "3 of 10 days" in str(run.figures)


@pytest.mark.parametrize("model", ["backtestrun", "backtestsweep"])
def test_the_way_django_adds_leads_to_the_form(browser, model):
    answer = browser.get(f"/admin/signals_app/{model}/add/")
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/signals_app/{model}/new/")
