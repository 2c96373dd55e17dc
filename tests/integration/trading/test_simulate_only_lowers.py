"""A signal may ask for less than the account trades in, never for more."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.models import VenueAccount
from exchanges.venues import registry
from signals_app.services import intake, routing
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR, TESTNET
from trading.models import VirtualAccount

pytestmark = pytest.mark.django_db


@pytest.fixture
def venues(db, settings):
    """The desk trades on testnet by default; the simulator is there too."""
    settings.VENUE_ENVIRONMENT = "testnet"
    simulator, testnet = FakeExchange(), FakeExchange(environment="testnet")
    catalogue.forget()
    quotes.forget()
    VirtualAccount.objects.update(is_default=False)
    VirtualAccount.objects.create(
        name="testnet",
        venue_account=VenueAccount.objects.get_or_create(environment="testnet")[0],
        is_default=True,
    )
    with (
        registry.standing_in(SIMULATOR, simulator),
        registry.standing_in(TESTNET, testnet),
    ):
        yield {"simulator": simulator, "testnet": testnet}
    catalogue.forget()
    quotes.forget()


def first(simulate) -> dict[str, object]:
    """A payload of the first generation, everything in `meta`."""
    meta = {"order_type": "market", "base_amount": 0.001}
    return {
        "strategy_id": "momentum_v1",
        "symbol": "BTCUSDT",
        "action": "buy",
        "price": 45000.0,
        "confidence": 0.85,
        "timestamp": timezone.now().isoformat(),
        "meta": meta if simulate is None else meta | {"simulate": simulate},
    }


def second(simulate) -> dict[str, object]:
    """A payload of the second generation, everything at the top."""
    body = {
        "strategy_id": "volume_surge_breakout",
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.75,
        "price": 45000.0,
        "quantity": 0.001,
        "current_price": 45000.0,
        "timeframe": "15m",
        "stop_loss": 44000.0,
        "take_profit": 47000.0,
        "indicators": {},
        "metadata": {},
        "timestamp": timezone.now().isoformat(),
    }
    return body if simulate is None else body | {"simulate": simulate}


def act(body) -> routing.Outcome:
    stored = intake.store(
        intake.Inbound(source="test", body=json.dumps(body).encode(), received_at=timezone.now())
    )
    assert stored.error is None
    return routing.act_on(stored.signal_id)


def placed(venues) -> list[str]:
    return [name for name, venue in venues.items() if venue.placed]


@pytest.mark.parametrize("payload", [first, second])
def test_true_takes_it_to_the_simulator(venues, payload):
    outcome = act(payload(True))

    assert outcome.decision is not None
    assert outcome.decision.environment == "simulator"
    assert placed(venues) == ["simulator"]


@pytest.mark.parametrize("payload", [first, second])
@pytest.mark.parametrize("simulate", [False, None])
def test_false_or_nothing_trades_where_the_account_is(venues, payload, simulate):
    act(payload(simulate))

    assert placed(venues) == ["testnet"]


@pytest.mark.parametrize("payload", [first, second])
def test_false_never_raises_a_desk_that_simulates(venues, settings, payload):
    settings.VENUE_ENVIRONMENT = "simulator"
    VirtualAccount.objects.update(is_default=False)
    VirtualAccount.objects.filter(name="simulator").update(is_default=True)

    act(payload(False))

    assert placed(venues) == ["simulator"]


@pytest.mark.parametrize("payload", [first, second])
def test_an_account_above_the_configured_ceiling_trades_nothing(venues, settings, payload):
    settings.VENUE_ENVIRONMENT = "simulator"  # the default account still says testnet

    outcome = act(payload(False))

    assert outcome.decision is not None
    assert not outcome.decision.approved
    assert placed(venues) == []


@pytest.mark.parametrize("payload", [first, second])
def test_without_a_simulator_account_true_trades_nowhere(venues, payload):
    VirtualAccount.objects.filter(name="simulator").delete()

    outcome = act(payload(True))

    assert outcome.decision is None
    assert outcome.signal.error_code == "ACCOUNT_UNKNOWN"
    assert placed(venues) == []
