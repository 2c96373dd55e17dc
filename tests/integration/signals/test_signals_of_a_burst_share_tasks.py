from __future__ import annotations

import json

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from exchanges import catalogue, quotes
from exchanges.venues import registry
from signals_app import tasks
from signals_app.models import Signal
from signals_app.services import intake
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR
from trading.models import Order


@pytest.fixture
def venue(db):
    exchange = FakeExchange(balances={"USDT": "100000"})
    catalogue.forget()
    quotes.forget()
    with registry.standing_in(SIMULATOR, exchange):
        yield exchange


def stored(uid: str) -> int:
    payload = {
        "signal_uid": uid,
        "strategy_id": "test",
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.8,
        "quantity": 0.01,
        "timestamp": timezone.now().isoformat(),
    }
    body = json.dumps(payload).encode()
    return intake.store(intake.Inbound("test", body, timezone.now())).signal_id


@given(st.lists(st.integers(1, 10**9), unique=True, max_size=100))
def test_no_signal_is_left_out_or_taken_twice(ids):
    parcels = tasks.parcels(ids)
    assert [one for parcel in parcels for one in parcel] == ids
    assert all(0 < len(parcel) <= tasks.MOST_TOGETHER for parcel in parcels)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_few_are_not_made_to_wait_for_each_other(count):
    assert all(len(parcel) == 1 for parcel in tasks.parcels(list(range(1, count + 1))))


def test_all_of_a_parcel_are_acted_on(venue):
    ids = [stored(f"s{n}") for n in range(3)]
    tasks.act_on_some(ids)
    assert Order.objects.filter(role="entry", status="FILLED").count() == 3


def test_one_that_fails_does_not_hold_up_the_others(venue):
    ids = [stored("one"), 10**9, stored("other")]
    tasks.act_on_some(ids)
    assert set(Signal.objects.values_list("status", flat=True)) == {"routed"}


def test_a_parcel_delivered_twice_trades_once(venue):
    ids = [stored(f"s{n}") for n in range(3)]
    tasks.act_on_some(ids)
    tasks.act_on_some(ids)
    assert Order.objects.filter(role="entry").count() == 3
