"""Thirty-two at once: deciding is serial per account, and a signal is acted on once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.domain.books import Book
from exchanges.domain.instruments import Instrument, parse_spot
from exchanges.venues import registry
from signals_app.services import intake, routing
from tests.fakes.exchange import FakeExchange
from tests.fakes.instruments import spot_symbol_entry
from tests.limits import set_limits
from tests.places import SIMULATOR
from trading.domain.intents import IntentKind, SizeMode, SizingIntent, TradeIntent
from trading.models import Decision, Order, VirtualAccount
from trading.services.money import accounts, balances
from trading.services.orders import decisions, lifecycle
from trading.services.risk.market_view import MarketView

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 32
T = TypeVar("T")


@pytest.fixture
def venue():
    accounts.ensure_first()
    catalogue.forget()
    quotes.forget()
    exchange = FakeExchange(balances={"USDT": "25000"})
    with registry.standing_in(SIMULATOR, exchange):
        yield exchange
    catalogue.forget()


@pytest.fixture
def account(venue) -> VirtualAccount:
    """An account with one slot left, and its balances just read."""
    set_limits(max_open_positions=1, max_position_notional=0)
    set_limits(max_quote_age_ms=60_000)  # the last in the line waits longer than half a second
    account = VirtualAccount.objects.select_related("venue_account").get(is_default=True)
    balances.refresh(account.venue_account)
    return account


def wait_long_for_locks() -> None:
    """Let the last of many in line wait longer than a product that is not loaded would."""
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '60s'")


def at_once(work: Callable[[int], T]) -> list[T]:
    """Run `work(0)` to `work(31)` in as many threads, each with a connection of its own."""
    start = threading.Barrier(MANY)

    def one(number: int) -> T:
        try:
            wait_long_for_locks()
            start.wait(60)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(one, range(MANY)))


def coin(number: int) -> Instrument:
    entry = spot_symbol_entry("SOLUSDT")
    return parse_spot(entry | {"symbol": f"C{number}USDT", "baseAsset": f"C{number}"})


def look_at(instrument: Instrument) -> MarketView:
    size, price = Decimal(1000), Decimal(100)
    book = Book(instrument.symbol, ((price, size),), ((price, size),), timezone.now())
    return MarketView(instrument, book.quote(), book=book, venue_latency_ms=Decimal(1))


def wish(number: int, symbol: str, quantity: str) -> TradeIntent:
    return TradeIntent(
        intent_uid=f"wish-{number}",
        kind=IntentKind.OPEN_LONG,
        strategy_id="hammer",
        symbol=symbol,
        confidence=Decimal("0.9"),
        emitted_at=datetime.now(UTC),
        sizing=SizingIntent(SizeMode.BASE_QUANTITY, Decimal(quantity)),
        actor="test",
    )


def test_of_many_entries_for_one_slot_exactly_one_is_let_through(account):
    def decide(number: int) -> str:
        instrument = coin(number)
        made = decisions.decide(
            intent=wish(number, instrument.symbol, "1"),
            account_id=account.pk,
            market=look_at(instrument),
        )
        return made.decision.code

    codes = at_once(decide)

    assert sorted(codes) == [""] + ["OPEN_POSITIONS_AT_MAX"] * (MANY - 1)
    assert Order.objects.filter(role="entry").count() == 1
    assert Decision.objects.count() == MANY


def test_the_same_money_is_not_promised_twice(account):
    """Each wants two fifths of what is free: two may have it."""
    set_limits(max_open_positions=100)

    def decide(number: int) -> str:
        instrument = coin(number)
        made = decisions.decide(
            intent=wish(number, instrument.symbol, "100"),
            account_id=account.pk,
            market=look_at(instrument),
        )
        return made.decision.code

    codes = at_once(decide)

    assert sorted(codes) == ["", ""] + ["BALANCE_INSUFFICIENT"] * (MANY - 2)


def test_the_same_intent_decided_many_times_is_one_decision(account):
    instrument = coin(0)

    def decide(_number: int) -> str:
        try:
            decisions.decide(
                intent=wish(0, instrument.symbol, "1"),
                account_id=account.pk,
                market=look_at(instrument),
            )
        except IntegrityError:
            return "refused by the key"
        return "decided"

    assert sorted(at_once(decide)) == ["decided"] + ["refused by the key"] * (MANY - 1)
    assert Order.objects.count() == Decision.objects.count() == 1


def a_signal(**fields: str) -> bytes:
    return json.dumps(
        {
            "strategy_id": "hammer",
            "symbol": "BTCUSDT",
            "action": "buy",
            "confidence": 0.9,
            "quantity": 0.001,
            "timestamp": timezone.now().isoformat(),
            **fields,
        }
    ).encode()


def test_the_same_signal_delivered_many_times_trades_once(account, venue):
    body = a_signal(signal_uid="once-and-only-once")

    def deliver(number: int) -> tuple[int, bool]:
        key = f"message-{number % 4}"  # some are redelivered, some sent again
        stored = intake.store(
            intake.Inbound(source="test", body=body, received_at=timezone.now(), dedupe_key=key)
        )
        return stored.signal_id, routing.act_on(stored.signal_id).acted_now

    delivered = at_once(deliver)

    assert len({signal_id for signal_id, _ in delivered}) == 1
    assert [acted for _, acted in delivered].count(True) == 1
    assert venue.count("place_order") == 1
    assert Order.objects.filter(role="entry").count() == 1


def test_an_order_that_many_want_to_send_is_sent_once(account, venue):
    venue.drop_next()
    stored = intake.store(
        intake.Inbound(source="test", body=a_signal(), received_at=timezone.now())
    )
    order = routing.act_on(stored.signal_id).order
    assert order is not None
    assert order.status == "NEW"

    sent = at_once(lambda _: lifecycle.submit(lifecycle.load(order.pk), actor="sweep").was_sent)

    assert sent.count(True) == 1
    assert venue.count("place_order") == 2  # the one that was dropped, and this one
