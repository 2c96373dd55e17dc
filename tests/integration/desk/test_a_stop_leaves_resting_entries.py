"""Who stops trading sees what still waits at the venue, and a way there."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.integration.trading.conftest import send, venue
from tests.people import logged_in
from trading.models import Order
from trading.services.control import kill_switch

__all__ = ["send", "venue"]
pytestmark = pytest.mark.django_db
STOP = "/desk/stop/"
JSON = {"Accept": "application/json"}
MAY = "trading.engage_kill_switch"


@pytest.fixture
def resting(send) -> Order:
    outcome = send(order_type="limit", price=44000, stop_loss=43000, take_profit=46000)
    send(quantity=0.001)  # fills at once
    return outcome.order


def test_the_desk_counts_what_a_stop_leaves(resting):
    books = logged_in(MAY).post(STOP, headers=JSON).json()
    assert books["trading"]["resting_entries"] == 1


def test_it_counts_nothing_while_trading_is_active(resting):
    books = logged_in(MAY).get("/desk/books.json").json()
    assert books["trading"]["resting_entries"] == 0


def test_its_link_lists_these_orders_and_no_others(resting):
    browser = logged_in(MAY, "trading.view_order")
    link = browser.get("/desk/").context["options"]["links"]["resting"]
    shown = browser.get(link)
    assert shown.status_code == 200
    assert [o.pk for o in shown.context["cl"].queryset] == [resting.pk]


def test_who_may_not_see_orders_gets_no_link(resting):
    page = logged_in(MAY, is_staff=False).get("/desk/")
    assert page.context["options"]["links"]["resting"] == ""


def test_the_admin_says_it_beside_the_stop(resting):
    kill_switch.engage(actor="ben", reason="storm")
    browser = logged_in(MAY, "trading.view_order")
    page = browser.get(reverse("admin:trading_tradingstate_changelist")).content.decode()
    assert "1 entry still rests at the venue" in page
    link = re.search(r'href="([^"]*trading/order/\?role[^"]*)"', page)
    assert link is not None
    assert browser.get(link[1].replace("&amp;", "&")).status_code == 200


def test_the_admins_form_says_what_it_does_not_do():
    page = logged_in(MAY).get(reverse("admin:trading_tradingstate_add")).content.decode()
    assert "stay there and may fill" in page
