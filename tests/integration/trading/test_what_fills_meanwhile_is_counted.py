"""Between an entry and its position nothing is lost sight of: it counts as the one or the other."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from exchanges import quotes
from exchanges.domain.orders import ExecutionReport, VenueFill, VenueStatus
from exchanges.models import Balance
from tests.fakes.exchange import FakeExchange
from tests.limits import set_limits
from tests.places import account_at
from trading.domain.intents import IntentKind, SizeMode, SizingIntent, TradeIntent
from trading.models import Decision, Order, Position, VirtualAccount
from trading.services.money import accounts, balances, ledger
from trading.services.orders import decisions, fills
from trading.services.risk import market_view

D = Decimal
LIMITS = [
    ({"max_open_positions": 1}, "OPEN_POSITIONS_AT_MAX"),
    ({"one_symbol_per_account": True}, "ONE_SYMBOL_TAKEN"),
    ({"max_open_positions_total": 1}, "OPEN_POSITIONS_TOTAL_AT_MAX"),
    ({"max_gross_exposure": 1500}, "GROSS_EXPOSURE_ABOVE_MAX"),
]
needs_row_locks = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite decides one after the other"
)


class TestTradesTheVenueHasNotToldYet:
    """An entry that is over, while what it bought is not in our books yet."""

    @pytest.fixture
    def untold(self, send, venue: FakeExchange) -> Order:
        venue.acknowledge_next()
        venue.hide_trades(times=10)
        order = send(quantity="0.03").order
        assert order is not None
        told = venue.query_order("BTCUSDT", order.client_order_id)
        fills.apply(told, account=account_at(), actor="test")
        order.refresh_from_db()
        assert (order.status, order.fills_missing) == ("FILLED", True)
        assert not Position.objects.filter(quantity__gt=0).exists()
        return order

    @pytest.mark.django_db
    @pytest.mark.parametrize(("values", "code"), LIMITS)
    def test_it_takes_its_place(self, send, untold, values, code):
        set_limits(scope="account", key=untold.account.name, **values)
        assert send(symbol="ETHUSDT", quantity="0.1").decision.code == code

    @pytest.mark.django_db
    def test_its_money_is_spent(self, send, untold):
        account = VirtualAccount.objects.get()
        ledger.move(account.pk, D(1500), actor="test", reason="for this test")
        denied = send(symbol="ETHUSDT", quantity="0.1").decision
        assert denied.code == "BALANCE_INSUFFICIENT"

    @pytest.mark.django_db
    def test_a_part_that_expired_takes_none(self, send, venue: FakeExchange):
        venue.expire_next()
        send(quantity="0.03")
        set_limits(max_open_positions=1)
        assert send(symbol="ETHUSDT", quantity="0.1").decision.approved


@needs_row_locks
@pytest.mark.django_db(transaction=True)
class TestAFillWhileTheDecisionIsRead:
    """The purse of a venue account is shared, so a decision may wait for another account's while
    a fill of its own account is booked."""

    @pytest.fixture
    def on_its_way(self, venue, send) -> Order:
        accounts.ensure_first()
        venue.rest_next()
        order = send(quantity="0.03").order
        assert order is not None
        balances.refresh(order.venue_account)
        return order

    @pytest.mark.parametrize(("values", "code"), LIMITS)
    def test_it_is_held_or_on_order(self, on_its_way, values, code):
        set_limits(scope="account", key=on_its_way.account.name, **values)
        assert self.decide_while_it_fills(on_its_way).code == code

    def test_its_money_is_promised_or_spent(self, on_its_way):
        account = VirtualAccount.objects.get()
        ledger.move(account.pk, D(1500), actor="test", reason="for this test")
        assert self.decide_while_it_fills(on_its_way).code == "BALANCE_INSUFFICIENT"

    def test_the_position_does_not_outgrow_its_limit(self, on_its_way):
        set_limits(max_position_notional=1500)
        decision = self.decide_while_it_fills(on_its_way, symbol="BTCUSDT", quantity="0.03")
        more = D(decision.plan["notional"]) if decision.plan else D(0)
        assert 1350 + more <= 1500

    def decide_while_it_fills(
        self, order: Order, symbol: str = "ETHUSDT", quantity: str = "0.1"
    ) -> Decision:
        seen = market_view.observe(order.venue_account, symbol)
        taken: list[Decision] = []

        def decide() -> None:
            try:
                made = decisions.decide(
                    intent=entry(symbol, quantity), account_id=order.account_id, market=seen
                )
                taken.append(made.decision)
            finally:
                connection.close()

        decider = threading.Thread(target=decide)
        with transaction.atomic():
            list(Balance.objects.select_for_update().filter(asset="USDT"))
            decider.start()
            wait_until_somebody_waits_for_us()
            book_elsewhere(whole_fill(order))
        decider.join(60)
        return taken[0]


def entry(symbol: str, quantity: str) -> TradeIntent:
    return TradeIntent(
        intent_uid="meanwhile",
        kind=IntentKind.OPEN_LONG,
        strategy_id="test",
        symbol=symbol,
        confidence=D("0.8"),
        emitted_at=timezone.now(),
        sizing=SizingIntent(SizeMode.BASE_QUANTITY, D(quantity)),
    )


def whole_fill(order: Order) -> ExecutionReport:
    price = D(45_000)
    fill = VenueFill(
        trade_id="1",
        price=price,
        quantity=order.quantity,
        commission=D(0),
        commission_asset="BTC",
        is_maker=False,
        traded_at=timezone.now(),
    )
    return ExecutionReport(
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        status=VenueStatus.FILLED,
        executed_quantity=order.quantity,
        executed_quote=order.quantity * price,
        reported_at=timezone.now(),
        fills=(fill,),
    )


def book_elsewhere(report: ExecutionReport) -> None:
    """Book the news on a connection of its own, and commit it."""
    failures: list[Exception] = []

    def book() -> None:
        try:
            fills.apply(report, account=account_at(), actor="user stream")
        except Exception as error:  # noqa: BLE001 - shown by the test's own thread
            failures.append(error)
        finally:
            connection.close()

    stream = threading.Thread(target=book)
    stream.start()
    stream.join(60)
    assert failures == []


def wait_until_somebody_waits_for_us() -> None:
    deadline = time.monotonic() + 60
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    waiting += " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    while True:
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        assert time.monotonic() < deadline, "nobody waits for our locks"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def fresh_quotes():
    quotes.forget()
