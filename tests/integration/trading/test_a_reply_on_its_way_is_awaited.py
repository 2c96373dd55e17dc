"""The user stream tells of a fill before its sender has booked the reply: it waits a moment."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from asgiref.sync import async_to_sync

from audit.models import Event
from exchanges.domain.news import News
from exchanges.domain.orders import ExecutionReport
from tests.fakes.exchange import FakeExchange
from tests.places import account_at
from trading import user_stream
from trading.models import Fill, Order
from trading.services.money import accounts
from trading.services.orders import fills

pytestmark = pytest.mark.django_db(transaction=True)


class Told:
    """A stream that tells what it was given, and ends."""

    def __init__(self, *news: News) -> None:
        self.given = news

    async def news(self) -> AsyncIterator[News]:
        for one in self.given:
            yield one

    def stop(self) -> None:
        """Ends by itself."""


def hear(*news: News) -> None:
    account = accounts.for_intent(simulate=True).venue_account
    listener = user_stream.Listener(account, Told(*news), lambda _: None)
    async_to_sync(listener.run)()


def tellers() -> set[str]:
    return set(Event.objects.filter(kind="fill.booked").values_list("actor", flat=True))


@pytest.fixture
def sent(send, venue: FakeExchange) -> tuple[Order, list[ExecutionReport]]:
    order = send().order
    return order, [n for n in venue.drain_news() if isinstance(n, ExecutionReport)]


def forget_reply(order: Order) -> None:
    """Set the books back to the moment before the venue's reply was booked."""
    Fill.objects.all().delete()
    Order.objects.filter(pk=order.pk).update(
        status="SUBMITTING",
        acknowledged_at=None,
        venue_order_id="",
        executed_quantity=0,
        executed_quote=0,
        booked_quantity=0,
        booked_quote=0,
        closed_at=None,
    )


def test_news_of_a_reply_that_never_comes_is_booked(sent):
    order, news = sent
    forget_reply(order)
    hear(*news)
    order.refresh_from_db()
    assert (order.status, Fill.objects.count()) == ("FILLED", 1)
    assert "user stream" in tellers()


def test_a_reply_not_booked_yet_is_awaited(sent):
    order, news = sent
    forget_reply(order)
    assert fills.look(news, account=account_at()).awaited


def test_what_is_booked_is_neither_awaited_nor_booked_again(sent):
    order, news = sent
    assert not fills.look(news, account=account_at()).awaited
    hear(*news)
    assert Fill.objects.filter(order=order).count() == 1
    assert "user stream" not in tellers()


def test_news_of_an_order_at_rest_waits_for_nobody(send, venue: FakeExchange):
    order = send(order_type="limit", price=40000).order
    venue.drain_news()
    venue.fill(order.client_order_id)
    news = [n for n in venue.drain_news() if isinstance(n, ExecutionReport)]
    seen = fills.look(news, account=account_at())
    assert seen.fresh
    assert not seen.awaited
