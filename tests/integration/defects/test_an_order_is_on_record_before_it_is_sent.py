"""A crash between sending and writing down must not lose an order."""

from __future__ import annotations

import pytest
from django.db import connection

from audit.models import Event
from exchanges import catalogue, quotes
from exchanges.domain.orders import OrderListRequest, OrderRequest
from exchanges.venues import registry
from tests.fakes.exchange import FakeExchange
from tests.integration.trading.conftest import send as send_fixture
from tests.places import SIMULATOR
from trading.models import Order
from trading.services.money import accounts

pytestmark = pytest.mark.django_db(transaction=True)
send = send_fixture


class Witness(FakeExchange):
    """A venue that looks into our books at the moment it gets an order."""

    def __init__(self) -> None:
        super().__init__()
        self.saw: list[tuple[str, set[str], bool]] = []

    def place_order(self, request: OrderRequest):
        self._look(request.client_order_id)
        return super().place_order(request)

    def place_order_list(self, request: OrderListRequest):
        for leg in (request.working, request.target, request.stop):
            if leg is not None:
                self._look(leg.client_order_id)
        return super().place_order_list(request)

    def _look(self, client_order_id: str) -> None:
        order = Order.objects.get(client_order_id=client_order_id)
        lines = Event.objects.filter(subject_type="order", subject_id=str(order.pk))
        kinds = set(lines.values_list("kind", flat=True))
        self.saw.append((order.status, kinds, connection.in_atomic_block))


@pytest.fixture
def venue(transactional_db):
    accounts.ensure_first()
    catalogue.forget()
    quotes.forget()
    witness = Witness()
    with registry.standing_in(SIMULATOR, witness):
        yield witness
    catalogue.forget()


@pytest.mark.parametrize(
    ("orders", "fields"),
    [
        (1, {}),
        (3, {"order_type": "limit", "price": 44000, "stop_loss": 43000, "take_profit": 46000}),
    ],
)
def test_row_and_trail_are_committed_when_the_venue_gets_it(send, venue, orders, fields):
    send(**fields)

    is_uncommitted = False
    assert (
        venue.saw
        == [("SUBMITTING", {"order.created", "order.submitting"}, is_uncommitted)] * orders
    )
