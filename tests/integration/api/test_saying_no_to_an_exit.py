from __future__ import annotations

from tests.integration.trading.conftest import send, venue
from tests.integration.trading.exits import about_to_go_on, waiting_to_go_on
from trading.models import Order

__all__ = ["send", "venue"]


def cancel(person, order: Order):
    return person("trading.cancel", name="bob").post(f"/api/v1/orders/{order.pk}/cancel/")


def test_an_exit_that_was_to_go_on_is_given_up(send, venue, person):
    answer = cancel(person, about_to_go_on(send, venue))

    assert answer.status_code == 200, answer.content
    assert answer.json()["follow_up_at"] is None
    assert answer.json()["reason"].startswith("given up by bob; ")


def test_a_successor_that_was_not_sent_is_called_off(send, venue, person):
    answer = cancel(person, waiting_to_go_on(send, venue))

    assert (answer.status_code, answer.json()["status"]) == (200, "NOT_PLACED")


def test_what_goes_on_elsewhere_is_named(send, venue, person):
    successor = waiting_to_go_on(send, venue)

    assert successor.continues is not None
    answer = cancel(person, successor.continues)

    assert answer.status_code == 409
    assert f"{successor.client_order_id} sells what it left" in answer.json()["detail"]
