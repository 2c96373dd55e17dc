"""Row locks as PostgreSQL takes them: a decision, and the venue's news of what is left."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from exchanges.domain.orders import AssetBalance
from exchanges.models import VenueAccount
from trading.domain.intents import IntentKind, SizeMode, SizingIntent, TradeIntent
from trading.models import Decision, Order
from trading.services.money import accounts, balances
from trading.services.orders import decisions
from trading.services.risk import market_view

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no row locks"),
]
WAITING_FOR_US = """
    SELECT EXISTS (
        SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
    )
"""


def an_entry() -> TradeIntent:
    return TradeIntent(
        intent_uid="locks",
        kind=IntentKind.OPEN_LONG,
        strategy_id="test",
        symbol="BTCUSDT",
        confidence=Decimal("0.8"),
        emitted_at=timezone.now(),
        sizing=SizingIntent(SizeMode.BASE_QUANTITY, Decimal("0.01")),
    )


def somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WAITING_FOR_US)
        return bool(cursor.fetchone()[0])


def test_balances_heard_while_a_decision_is_written_wait_for_its_commit(venue):
    accounts.ensure_first()
    account = accounts.for_intent(simulate=True)
    balances.refresh(account.venue_account)
    seen = market_view.observe(account.venue_account, "BTCUSDT")
    failures: list[Exception] = []

    def hear() -> None:
        told = [AssetBalance("USDT", Decimal(5000), Decimal(0))]
        try:
            balances.hear(account.venue_account_id, told, timezone.now())
        except Exception as error:  # noqa: BLE001 - shown by the test's own thread
            failures.append(error)
        finally:
            connection.close()

    listener = threading.Thread(target=hear)
    with transaction.atomic():
        decisions.decide(intent=an_entry(), account_id=account.pk, market=seen)
        listener.start()
        deadline = time.monotonic() + 60
        while not somebody_waits_for_us():
            assert time.monotonic() < deadline, "nobody waits for the decision's locks"
            time.sleep(0.02)
    listener.join(60)
    assert not listener.is_alive()
    assert failures == []
    assert Decision.objects.get().approved
    assert Order.objects.count() == 1
    rows = VenueAccount.objects.get(pk=account.venue_account_id).balances
    assert 0 < rows.get(asset="USDT").free < 5000  # less what the decision promised
