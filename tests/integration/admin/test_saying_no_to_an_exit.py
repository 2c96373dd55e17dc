"""An exit that carries on ends when a person cancels what is next of it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from audit.models import Event
from signals_app.models import Signal
from tests.integration.trading.exits import about_to_go_on, waiting_to_go_on
from tests.people import logged_in
from trading.models import Order, Position
from trading.services.execution import exits

pytestmark = pytest.mark.django_db
MAY = ("trading.view_order", "trading.cancel")


def cancel(order: Order) -> str:
    address = reverse("admin:trading_order_cancel", args=(order.pk,))
    return logged_in(*MAY).post(address, follow=True).content.decode()


def test_one_that_was_to_go_on_goes_on_no_more(send, venue):
    order = about_to_go_on(send, venue)

    said = cancel(order)

    assert "goes on no more. The exit ends here: 0.00999 stay unsold" in said
    order.refresh_from_db()
    assert order.follow_up_at is None
    assert order.reason.startswith("given up by ann; ")
    assert Event.objects.get(kind="exit.given_up").actor == "ann"
    assert exits.follow_up(order, actor="guard") is None


def test_a_successor_that_was_not_sent_ends_the_chain(send, venue):
    successor = waiting_to_go_on(send, venue)

    said = cancel(successor)

    assert "is NOT_PLACED now. The exit ends here: 0.00999 stay unsold" in said
    assert not Order.objects.filter(follow_up_at__isnull=False).exists()
    assert exits.under_way(Position.objects.get()) is None


def test_what_goes_on_elsewhere_is_named(send, venue):
    successor = waiting_to_go_on(send, venue)

    assert successor.continues is not None
    said = cancel(successor.continues)

    assert f"{successor.client_order_id} sells what it left: cancel that one." in said


def test_the_page_of_its_signal_shows_the_whole_chain(send, venue):
    successor = waiting_to_go_on(send, venue)
    signal = Signal.objects.get(uid=successor.signal_uid)

    page = logged_in("signals_app.view_signal", "trading.view_order").get(
        reverse("admin:signals_app_signal_change", args=(signal.pk,))
    )

    shown = page.content.decode()
    for order in Order.objects.filter(role="exit"):
        assert order.client_order_id in shown
    assert f"attempt {successor.attempt}" in shown


def test_its_page_offers_it(send, venue):
    order = about_to_go_on(send, venue)
    address = reverse("admin:trading_order_change", args=(order.pk,))
    assert "Sell no more of it" in logged_in(*MAY).get(address).content.decode()
