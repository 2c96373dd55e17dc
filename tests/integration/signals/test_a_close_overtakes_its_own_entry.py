"""An entry that was not acted on when its strategy closed the symbol is not entered any more."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.venues import registry
from signals_app.services import intake, routing
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR
from trading.models import Decision

pytestmark = pytest.mark.django_db


@pytest.fixture
def venue():
    exchange = FakeExchange(balances={"USDT": "100000"})
    catalogue.forget()
    quotes.forget()
    with registry.standing_in(SIMULATOR, exchange):
        yield exchange


def stored(action: str, *, after: float, **fields: object) -> int:
    """Store a signal received so many seconds after the first; nobody acts on it yet."""
    body = {"strategy_id": "s", "symbol": "BTCUSDT", "action": action, "confidence": 0.8, **fields}
    at = timezone.now() - timedelta(seconds=20 - after)
    inbound = intake.Inbound(source="nats", body=json.dumps(body).encode(), received_at=at)
    return intake.store(inbound).signal_id


def buy(**fields: object) -> int:
    return stored("buy", after=0, **{"quantity": 0.01, **fields})


def decided(signal_id: int) -> Decision:
    decision = routing.act_on(signal_id).decision
    assert decision is not None
    return decision


def test_an_entry_the_strategy_has_closed_since_is_denied_with_its_reason(venue):
    entry = buy()
    close = stored("close", after=0.25)
    assert decided(close).code == "NO_POSITION_TO_CLOSE"

    outcome = routing.act_on(entry)

    assert venue.count("place_order") == 0
    assert (outcome.signal.status, outcome.signal.error_code) == ("denied", "CLOSED_SINCE")
    assert "closed BTCUSDT" in outcome.signal.error_message
    assert "0.2" in outcome.signal.error_message


def test_a_close_that_came_before_the_entry_denies_nothing(venue):
    stored("close", after=-1)

    assert decided(buy()).approved


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("close", {"symbol": "ETHUSDT"}),
        ("close", {"strategy_id": "another"}),
        ("sell", {"quantity": 0.005}),
        ("buy", {"quantity": 0.01}),
    ],
)
def test_other_signals_take_nothing_back(venue, action, fields):
    entry = buy()
    stored(action, after=1, **fields)

    assert decided(entry).approved


def test_a_sell_of_everything_is_a_close(venue):
    entry = buy()
    stored("sell", after=1)

    assert routing.act_on(entry).signal.error_code == "CLOSED_SINCE"


def test_a_close_of_the_simulation_does_not_take_back_an_entry_of_the_account(venue):
    entry = buy()
    stored("close", after=1, simulate=True)

    assert decided(entry).approved
