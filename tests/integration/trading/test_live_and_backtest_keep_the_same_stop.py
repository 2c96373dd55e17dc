"""The same entries leave the same stop and target live and in a backtest."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exchanges.domain.orders import ExecutionReport, Side, VenueFill, VenueStatus
from exchanges.matching import OrderType
from exchanges.models import VenueAccount
from signals_app.backtest.books import Books
from signals_app.backtest.venue import Taken
from tests.fakes.instruments import spot_instrument
from tests.places import account_at
from tests.unit.backtest.worlds import ONE_COIN
from tests.unit.trading.situations import NOW
from trading.domain.levels import Distance, EntryLevels
from trading.domain.order_states import OrderStatus
from trading.models import Order, Position, VirtualAccount
from trading.services.orders import fills

pytestmark = pytest.mark.django_db
D = Decimal
BTC = spot_instrument("BTCUSDT")


@dataclass(frozen=True)
class Entry:
    """What was bought in one order, and what it asks its position to be protected at."""

    paid: tuple[Decimal, ...]
    levels: EntryLevels


LEVELS = st.one_of(st.none(), st.integers(30_000, 60_000).map(D))
PERCENT = st.one_of(
    st.none(), st.integers(1, 20).map(lambda pct: Distance(D(pct), is_percent=True))
)
ENTRIES = st.lists(
    st.builds(
        Entry,
        # In one order a later part never costs less: it walks up the book.
        paid=st.lists(st.integers(40_000, 50_000).map(D), min_size=1, max_size=3).map(
            lambda prices: tuple(sorted(prices))
        ),
        levels=st.builds(
            EntryLevels,
            stop=LEVELS,
            target=LEVELS,
            stop_distance=PERCENT,
            target_distance=PERCENT,
        ),
    ),
    min_size=1,
    max_size=5,
)
NO_STOP = Entry((D(45_000),), EntryLevels())
WITH_STOP = Entry((D(45_000),), EntryLevels(stop=D(44_000)))
FAR_ABOVE = Entry((D(45_000),), EntryLevels(stop=D(44_900)))
CHEAPER = Entry((D(44_000),), EntryLevels())


def live(account: VirtualAccount, entries: list[Entry]) -> tuple[Decimal | None, Decimal | None]:
    for number, one in enumerate(entries):
        name = f"ptr-e-{number}"
        order = Order.objects.create(
            account=account,
            venue_account=account.venue_account,
            role=Order.Role.ENTRY,
            symbol="BTCUSDT",
            side=Side.BUY,
            type="LIMIT",
            quantity=len(one.paid),
            stop_loss=one.levels.stop,
            take_profit=one.levels.target,
            stop_distance=str(one.levels.stop_distance or ""),
            target_distance=str(one.levels.target_distance or ""),
            client_order_id=name,
            status=OrderStatus.OPEN,
            created_at=NOW,
        )
        for part, price in enumerate(one.paid, 1):
            fill = VenueFill(f"{order.pk}{part}", price, D(1), D(0), "USDT", False, NOW)
            is_done = part == len(one.paid)
            status = VenueStatus.FILLED if is_done else VenueStatus.PARTIALLY_FILLED
            report = ExecutionReport(
                "BTCUSDT",
                name,
                str(order.pk),
                status,
                NOW,
                executed_quantity=D(part),
                fills=(fill,),
            )
            fills.apply(report, account=account_at(), actor="test")
    position = Position.objects.get(account=account)
    return position.stop_price, position.target_price


def backtest(entries: list[Entry]) -> tuple[Decimal | None, Decimal | None]:
    books = Books(BTC, ONE_COIN)
    for one in entries:
        taken = [
            Taken(1, Side.BUY, OrderType.LIMIT, price, D(1), D(0), "USDT", False, 0, price, D(0))
            for price in one.paid
        ]
        books.book_entry(taken, one.levels)
    return books.stop, books.target


@pytest.fixture
def account(venue) -> VirtualAccount:
    venue_account, _ = VenueAccount.objects.get_or_create(environment="simulator")
    return VirtualAccount.objects.create(name="twin", venue_account=venue_account)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(entries=ENTRIES)
@example(entries=[WITH_STOP, NO_STOP])
@example(entries=[NO_STOP, WITH_STOP])
@example(entries=[FAR_ABOVE, CHEAPER])  # the backtest used to drop to none
def test_the_same_entries_leave_the_same_levels(account, entries):
    with transaction.atomic():
        found = live(account, entries)
        transaction.set_rollback(True)
    assert found == backtest(entries)
