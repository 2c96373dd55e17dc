from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from tests.people import logged_in
from trading.models import TradingState
from trading.services.control import kill_switch

pytestmark = pytest.mark.django_db
ADD = "admin:trading_tradingstate_add"
LIST = "admin:trading_tradingstate_changelist"


def order_to_stop(**changes) -> dict[str, str]:
    return {"mode": "HALTED", "scope": "global", "key": "", "reason": "storm", **changes}


def release(browser, state: TradingState, reason: str):
    address = reverse("admin:trading_tradingstate_release", args=(state.pk,))
    return browser.post(address, {"reason": reason}, follow=True)


def test_adding_a_row_stops_trading():
    browser = logged_in("trading.engage_kill_switch")

    answer = browser.post(reverse(ADD), order_to_stop())

    assert answer.status_code == 302
    state = TradingState.objects.get()
    assert (state.mode, state.reason, state.engaged_by) == ("HALTED", "storm", "ann")
    assert Event.objects.get(kind="control.engaged").actor == "ann"


def test_stopping_what_is_stopped_is_no_error():
    browser = logged_in("trading.engage_kill_switch")
    browser.post(reverse(ADD), order_to_stop())

    assert browser.post(reverse(ADD), order_to_stop()).status_code == 302
    assert TradingState.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("key", {"scope": "symbol"}),
        ("key", {"key": "BTCUSDT"}),
        ("key", {"scope": "venue", "key": "moon"}),
        ("key", {"scope": "account", "key": "nobody"}),
        ("reason", {"reason": ""}),
        ("mode", {"mode": "ACTIVE"}),
    ],
)
def test_an_order_that_would_stop_nothing_is_refused(field, changes):
    answer = logged_in("trading.engage_kill_switch").post(reverse(ADD), order_to_stop(**changes))

    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors


def test_a_time_that_has_passed_is_refused():
    past = timezone.now() - timedelta(hours=1)
    times = {"expires_at_0": past.strftime("%Y-%m-%d"), "expires_at_1": past.strftime("%H:%M:%S")}

    answer = logged_in("trading.engage_kill_switch").post(reverse(ADD), order_to_stop(**times))

    assert "expires_at" in answer.context["adminform"].form.errors


def test_a_symbol_is_stopped_in_the_venues_spelling():
    logged_in("trading.engage_kill_switch").post(
        reverse(ADD), order_to_stop(scope="symbol", key="btcusdt")
    )

    assert TradingState.objects.get().key == "BTCUSDT"


def test_it_is_released_with_a_reason():
    state = kill_switch.engage(actor="ben", reason="storm")

    release(logged_in("trading.release_kill_switch"), state, "the storm is over")

    state.refresh_from_db()
    assert (state.released_by, state.release_reason) == ("ann", "the storm is over")
    assert Event.objects.get(kind="control.released").actor == "ann"


def test_without_a_reason_nothing_is_released():
    state = kill_switch.engage(actor="ben", reason="storm")

    page = release(logged_in("trading.release_kill_switch"), state, "   ")

    state.refresh_from_db()
    assert state.released_at is None
    assert "nothing was released" in page.content.decode()


def test_releasing_twice_says_so():
    state = kill_switch.engage(actor="ben", reason="storm")
    browser = logged_in("trading.release_kill_switch")
    release(browser, state, "over")

    assert "released before" in release(browser, state, "over").content.decode()


def test_who_may_stop_may_not_release():
    state = kill_switch.engage(actor="ben", reason="storm")
    browser = logged_in("trading.engage_kill_switch")

    assert release(browser, state, "over").status_code == 403
    page = browser.get(reverse("admin:trading_tradingstate_change", args=(state.pk,)))
    assert "may go on" not in page.content.decode()


def test_who_may_release_may_not_stop():
    assert logged_in("trading.release_kill_switch").get(reverse(ADD)).status_code == 403


def test_a_link_alone_releases_nothing():
    state = kill_switch.engage(actor="ben", reason="storm")
    address = reverse("admin:trading_tradingstate_release", args=(state.pk,))

    assert logged_in("trading.release_kill_switch").get(address).status_code == 405


def test_its_page_says_that_nothing_is_stopped():
    page = logged_in("trading.engage_kill_switch").get(reverse(LIST)).content.decode()

    assert "Trading is active" in page


def test_its_page_says_what_is_stopped_and_by_whom():
    kill_switch.engage(actor="ben", reason="storm")

    page = logged_in("trading.view_tradingstate").get(reverse(LIST)).content.decode()

    assert "storm · ben since" in page
    assert "Trading is active" not in page


def test_the_form_stops_everything_unless_told_otherwise():
    form = logged_in("trading.engage_kill_switch").get(reverse(ADD)).context["adminform"].form

    assert (form["mode"].value(), form["scope"].value()) == ("HALTED", "global")
