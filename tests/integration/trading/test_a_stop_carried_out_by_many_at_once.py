"""Many workers take up the same stop, and nobody can say who is alone: it is all done once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.venues import registry
from signals_app.services import intake, routing
from tests import servers
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR
from trading.domain.risk.types import TradingMode
from trading.models import Decision, Order, Position, StopReport
from trading.services.control import kill_switch
from trading.services.execution import flatten
from trading.services.money import accounts

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 8
BODY = (
    '{"strategy_id":"test","symbol":"BTCUSDT","action":"buy","confidence":0.8,"quantity":0.01,%s}'
)


@pytest.fixture
def venue(settings):
    settings.QUOTE_MAX_AGE_SECONDS = 60
    accounts.ensure_first()
    catalogue.forget()
    quotes.forget()
    exchange = FakeExchange(balances={"USDT": "100000"})
    with registry.standing_in(SIMULATOR, exchange):
        yield exchange
    catalogue.forget()


def buy(uid: str) -> None:
    now = timezone.now()
    body = BODY % f'"stop_loss":44000,"signal_uid":"{uid}","timestamp":"{now.isoformat()}"'
    stored = intake.store(intake.Inbound(source="test", body=body.encode(), received_at=now))
    assert routing.act_on(stored.signal_id).order is not None


@pytest.fixture
def redis_is_away():
    yield servers.redis.kill
    servers.redis.start()


def test_what_is_held_is_sold_once(venue, redis_is_away):
    buy("first")
    state = kill_switch.engage(actor="ann", reason="storm", mode=TradingMode.FLATTEN)
    redis_is_away()
    start = threading.Barrier(MANY)

    def work(_: int) -> None:
        try:
            connection.ensure_connection()
            start.wait(60)
            flatten.carry_out(state.pk, at_once=True)
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as pool:
        list(pool.map(work, range(MANY)))
    flatten.carry_out(state.pk, at_once=True)

    sold = Order.objects.filter(role="exit", status="FILLED")
    assert [str(order.quantity) for order in sold] == ["0.00999"]
    assert Decision.objects.filter(kind="close", approved=True).count() == 1
    position = Position.objects.get()
    assert not position.excess_sold
    assert not position.is_open
    assert StopReport.objects.get().ended == "nothing is left"
