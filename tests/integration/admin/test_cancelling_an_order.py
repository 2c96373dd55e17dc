from __future__ import annotations

import pytest
from django.urls import reverse

from audit.models import Event
from tests.people import logged_in
from trading.models import Order

pytestmark = pytest.mark.django_db
MAY = ("trading.view_order", "trading.cancel")


@pytest.fixture
def resting(send) -> Order:
    order = send(order_type="limit", price=40000, stop_loss=39000, take_profit=45000).order
    assert order.status == "OPEN", order.reason
    return order


def cancel(browser, order: Order):
    return browser.post(reverse("admin:trading_order_cancel", args=(order.pk,)), follow=True)


def test_it_is_cancelled_at_the_venue_in_the_persons_name(resting):
    page = cancel(logged_in(*MAY), resting)

    resting.refresh_from_db()
    assert resting.status == "CANCELED"
    assert "is CANCELED now" in page.content.decode()
    assert Event.objects.get(kind="order.cancelling").actor == "ann"


def test_from_the_list_too(resting):
    logged_in(*MAY).post(
        reverse("admin:trading_order_changelist"),
        {"action": "cancel_selected", "_selected_action": [resting.pk]},
    )

    resting.refresh_from_db()
    assert resting.status == "CANCELED"


def test_a_venue_that_does_not_answer_is_told_to_the_person(resting, venue):
    venue.lose_cancel_reply_next(executed=False)

    page = cancel(logged_in(*MAY), resting)

    assert "was not cancelled" in page.content.decode()


def test_a_finished_order_is_left_alone(send):
    order = send().order

    assert "nothing to cancel" in cancel(logged_in(*MAY), order).content.decode()


def test_without_the_permission_there_is_no_button_and_no_way(resting):
    browser = logged_in("trading.view_order")

    page = browser.get(reverse("admin:trading_order_change", args=(resting.pk,)))
    assert "Cancel at the venue" not in page.content.decode()
    assert cancel(browser, resting).status_code == 403
    resting.refresh_from_db()
    assert resting.status == "OPEN"
