"""A fake venue in place of the simulator, and signals to send through the corridor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.venues import registry
from signals_app.services import intake, routing
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR


@pytest.fixture
def venue(db: None) -> Iterator[FakeExchange]:
    exchange = FakeExchange(balances={"USDT": "100000", "BNB": "10"})
    catalogue.forget()
    quotes.forget()
    with registry.standing_in(SIMULATOR, exchange):
        yield exchange


@pytest.fixture
def send(venue: FakeExchange) -> Callable[..., routing.Outcome]:
    """Store one signal and act on it, as a REST request would."""

    def _send(**fields: Any) -> routing.Outcome:
        payload = {
            "strategy_id": "test",
            "symbol": "BTCUSDT",
            "action": "buy",
            "confidence": 0.8,
            "quantity": 0.01,
            "timestamp": timezone.now().isoformat(),
        } | fields
        payload = {name: value for name, value in payload.items() if value is not None}
        stored = intake.store(
            intake.Inbound(
                source="test", body=json.dumps(payload).encode(), received_at=timezone.now()
            )
        )
        assert stored.error is None, stored.error
        return routing.act_on(stored.signal_id)

    return _send
