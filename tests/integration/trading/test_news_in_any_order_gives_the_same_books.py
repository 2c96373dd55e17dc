"""Reports come by three roads, twice, late and out of order: the books must not care."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from exchanges import quotes
from exchanges.domain.orders import ExecutionReport
from exchanges.venues import registry
from tests.fakes.exchange import FakeExchange
from tests.integration.trading.clock import time_passes
from tests.places import SIMULATOR, account_at
from trading.models import Fill, Order, Position
from trading.services.execution import reconciliation
from trading.services.orders import fills

pytestmark = pytest.mark.django_db

PARTS = st.lists(
    st.tuples(st.integers(43_000, 44_000), st.integers(1, 300)), min_size=1, max_size=4
)
ENDS = st.sampled_from(["rests", "cancelled", "expired"])
ANY_EXAMPLE = settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes here
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def another_world() -> Iterator[FakeExchange]:
    """A venue of its own, and rows that are gone afterwards."""
    quotes.forget()
    venue = FakeExchange()
    with registry.standing_in(SIMULATOR, venue), transaction.atomic():
        yield venue
        transaction.set_rollback(True)


def books() -> tuple[object, ...]:
    order = Order.objects.get()
    position = Position.objects.filter(account=order.account).first()
    return (
        order.status,
        order.booked_quantity,
        order.booked_quote,
        order.executed_quantity,
        order.fills_missing,
        sorted(Fill.objects.values_list("venue_trade_id", "price", "quantity", "commission")),
        position and (position.quantity, position.is_open, position.fees_quote),
        position and round(position.average_entry_price, 9),
        position and round(position.realised_pnl, 9),
        position and (position.stop_price, position.target_price),
    )


def story(venue: FakeExchange, name: str, parts, end: str) -> list[ExecutionReport]:
    """Let the venue fill the order in parts and end it; return what its stream said."""
    venue.drain_news()
    for price, thousandths in parts:
        venue.fill(name, price=price, quantity=Decimal(thousandths) / 100_000)
    if venue.order(name).remaining:
        if end == "cancelled":
            venue.cancel_at_venue(name)
        elif end == "expired":
            venue.expire(name)
    return [n for n in venue.drain_news() if isinstance(n, ExecutionReport)]


def tell(reports: Sequence[ExecutionReport]) -> None:
    for report in reports:
        fills.apply(report, account=account_at(), actor="user stream")


def rest_an_entry(send) -> str:
    outcome = send(order_type="limit", price=44000, quantity=0.01, stop_loss=42000)
    assert outcome.order is not None
    return str(outcome.order.client_order_id)


def in_order_and_as_drawn(send, parts, end, draw, *, heal: bool = False):
    """Tell the same news in order and as drawn, each on empty books; return both books."""
    found = []
    for arrange in (lambda news: news, draw):
        with another_world() as venue:
            news = story(venue, rest_an_entry(send), parts, end)
            tell(arrange(news))
            for _ in range(3 if heal else 0):  # heard of, then fetched, then done
                time_passes(30)
                reconciliation.run()
            found.append(books())
    return found


@ANY_EXAMPLE
@given(parts=PARTS, end=ENDS, data=st.data())
def test_permuted_and_repeated(send, parts, end, data):
    def shuffled(news):
        again = data.draw(st.lists(st.sampled_from(news), max_size=4)) if news else []
        return data.draw(st.permutations([*news, *again]))

    in_order, as_drawn = in_order_and_as_drawn(send, parts, end, shuffled)

    assert as_drawn == in_order


@ANY_EXAMPLE
@given(parts=PARTS, end=ENDS, data=st.data())
def test_some_of_it_lost_and_found_by_reconciliation(send, parts, end, data):
    def thinned(news):
        return [report for report in news if data.draw(st.booleans())]

    in_order, healed = in_order_and_as_drawn(send, parts, end, thinned, heal=True)

    assert healed == in_order


@ANY_EXAMPLE
@given(data=st.data())
def test_an_entry_and_its_exit_mixed_end_flat_with_the_same_profit(send, data):
    """Sales told before the buys they sell from: oversold for a moment, even at the end."""
    results = []
    for arrange in (lambda news: news, lambda news: data.draw(st.permutations(news))):
        with another_world() as venue:
            news = story(venue, rest_an_entry(send), [(44_000, 400), (43_500, 600)], "rests")
            tell(news)
            leave = send(action="close", quantity=None, order_type="limit", price=47000)
            assert leave.order is not None
            sold = [(47_000, 300), (47_100, 699)]
            news += story(venue, leave.order.client_order_id, sold, "rests")
            forget_all_news()
            tell(arrange(news))
            results.append(books_when_flat())

    assert results[0] == results[1]


def forget_all_news() -> None:
    """Orders as they were when they had just been taken, and nothing booked."""
    Fill.objects.all().delete()
    Position.objects.all().delete()
    Order.objects.update(
        status="OPEN",
        executed_quantity=0,
        executed_quote=0,
        booked_quantity=0,
        booked_quote=0,
        closed_at=None,
    )


def books_when_flat() -> tuple[object, ...]:
    position = Position.objects.get()
    return (
        position.quantity,
        position.is_open,
        position.excess_sold,
        round(position.fees_quote, 9),
        round(position.realised_pnl, 9),
        sorted(Order.objects.values_list("role", "status", "booked_quantity")),
    )
