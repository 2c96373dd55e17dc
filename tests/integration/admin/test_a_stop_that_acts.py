"""CANCEL_OPEN and FLATTEN in the admin: the plan before, the report after."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.people import logged_in
from trading import tasks
from trading.models import StopReport, TradingState
from trading.services.control import kill_switch

pytestmark = pytest.mark.django_db
ADD = "admin:trading_tradingstate_add"


def order_to_stop(**changes) -> dict[str, str]:
    return {"mode": "FLATTEN", "scope": "global", "key": "", "reason": "storm", **changes}


def page_of(browser, state: TradingState) -> str:
    address = reverse("admin:trading_tradingstate_change", args=(state.pk,))
    return browser.get(address).content.decode()


def test_the_plan_is_shown_before_and_nothing_is_stopped(send):
    send(stop_loss=44000)
    browser = logged_in("trading.engage_kill_switch")

    answer = browser.post(reverse(ADD), order_to_stop(_plan="1"), follow=True)

    page = answer.content.decode()
    assert "What it would do now" in page
    assert "0.00999" in page
    assert answer.context["adminform"].form["reason"].value() == "storm"
    assert not TradingState.objects.exists()


def test_a_time_to_run_out_is_kept_while_the_plan_is_shown():
    times = {"expires_at_0": "2099-01-01", "expires_at_1": "10:00:00"}
    browser = logged_in("trading.engage_kill_switch")

    answer = browser.post(reverse(ADD), order_to_stop(_plan="1", **times), follow=True)

    assert "2099-01-01" in answer.content.decode()


def test_a_plan_that_cannot_be_made_says_why():
    browser = logged_in("trading.engage_kill_switch")

    answer = browser.post(reverse(ADD), order_to_stop(_plan="1", scope="symbol"))

    assert "key" in answer.context["adminform"].form.errors
    assert not TradingState.objects.exists()


def test_a_link_with_nonsense_shows_no_plan():
    browser = logged_in("trading.engage_kill_switch")

    answer = browser.get(reverse(ADD), {"plan": "1", "mode": "BOOM", "expires_at": "soon"})

    assert answer.status_code == 200
    assert "What it would do now" not in answer.content.decode()


def test_stopping_leads_to_its_report(send):
    send(stop_loss=44000)
    browser = logged_in("trading.engage_kill_switch")
    answer = browser.post(reverse(ADD), order_to_stop())
    state = TradingState.objects.get()
    assert answer["Location"] == reverse("admin:trading_tradingstate_change", args=(state.pk,))
    tasks.empty(state.pk)

    page = page_of(browser, state)
    assert "1 done, 0 waiting, 0 failed, 0 left" in page
    assert "nothing is left" in page


def test_reports_are_listed_and_open(send, browser):
    send(stop_loss=44000)
    state = kill_switch.engage(actor="ann", reason="storm", mode=kill_switch.level("FLATTEN"))
    tasks.empty(state.pk)
    row = StopReport.objects.get()

    assert browser.get(reverse("admin:trading_stopreport_changelist")).status_code == 200
    address = reverse("admin:trading_stopreport_change", args=(row.pk,))
    assert "position" in browser.get(address).content.decode()
    assert browser.post(reverse("admin:trading_stopreport_add")).status_code == 403


def test_with_four_eyes_it_says_that_another_must_approve(settings):
    settings.FOUR_EYES = True
    state = kill_switch.engage(actor="ann", reason="storm")
    browser = logged_in("trading.release_kill_switch")
    address = reverse("admin:trading_tradingstate_release", args=(state.pk,))

    page = browser.post(address, {"reason": "calm"}, follow=True).content.decode()

    assert "another person must approve the release" in page
    state.refresh_from_db()
    assert state.released_at is None
