"""A strategy that watched made-up prices opens nothing where more is at stake."""

from __future__ import annotations

import json
import uuid

import pytest
from django.utils import timezone

from audit.models import Event
from exchanges import catalogue, quotes
from exchanges.models import VenueAccount
from exchanges.venues import registry
from signals_app.models import Signal
from signals_app.services import intake, routing
from tests.fakes.exchange import FakeExchange
from tests.places import TESTNET
from trading.models import VirtualAccount
from trading.services.money import accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(settings):
    """Return a venue of testnet, where the default account trades."""
    settings.VENUE_ENVIRONMENT = "testnet"
    testnet = FakeExchange(environment="testnet")
    catalogue.forget()
    quotes.forget()
    VirtualAccount.objects.update(is_default=False)
    VirtualAccount.objects.create(
        name="testnet",
        venue_account=VenueAccount.objects.get_or_create(environment="testnet")[0],
        is_default=True,
    )
    with registry.standing_in(TESTNET, testnet):
        yield testnet
    catalogue.forget()
    quotes.forget()


def act(environment: object, action: str = "buy") -> routing.Outcome:
    return routing.act_on(stored(environment, action).signal_id)


def stored(environment: object, action: str = "buy") -> intake.Stored:
    body = {
        "strategy_id": "golden_cross",
        "signal_uid": uuid.uuid4().hex,
        "symbol": "BTCUSDT",
        "action": action,
        "confidence": 0.9,
        "timestamp": timezone.now().isoformat(),
        "metadata": {"environment": environment},
    }
    sent = intake.Inbound(source="nats", body=json.dumps(body).encode(), received_at=timezone.now())
    return intake.store(sent)


@pytest.mark.parametrize("environment", ["simulator", "demo"])
def test_a_buy_is_denied_by_name_and_on_record(desk, environment):
    outcome = act(environment)
    assert (outcome.signal.status, outcome.signal.error_code) == ("denied", "FOREIGN_PRICES")
    assert environment in outcome.signal.error_message
    assert "testnet" in outcome.signal.error_message
    denied = Event.objects.get(kind="signal.denied", signal_uid=outcome.signal.uid)
    assert denied.data["code"] == "FOREIGN_PRICES"
    assert desk.placed == []


def test_an_exit_is_asked_of_the_rules_as_ever(desk):
    outcome = act("simulator", action="close")
    assert outcome.decision is not None
    assert any("simulator prices" in note for note in outcome.decision.intent["notes"])


@pytest.mark.parametrize("spelling", [" Simulator", "SIM", "paper", "Demo"])
def test_any_spelling_is_denied(desk, spelling):
    outcome = act(spelling)
    assert (outcome.signal.status, outcome.signal.error_code) == ("denied", "FOREIGN_PRICES")
    assert desk.placed == []


@pytest.mark.parametrize("environment", ["staging", 7, ["simulator"]])
def test_a_word_that_is_none_of_ours_is_kept_and_refused(desk, environment):
    outcome = act(environment)
    assert (outcome.signal.status, outcome.signal.error_code) == ("rejected", "UNKNOWN_ENVIRONMENT")
    assert Event.objects.filter(kind="signal.rejected", signal_uid=outcome.signal.uid).exists()
    assert desk.placed == []


@pytest.mark.parametrize("environment", ["testnet", "TESTNET", "", None])
def test_its_own_and_none_change_nothing(desk, environment):
    outcome = act(environment)
    assert outcome.signal.error_code == ""
    assert outcome.decision is not None


def test_a_draft_stored_before_spellings_were_read_is_denied_too(desk):
    sent = stored("simulator")
    Signal.objects.filter(pk=sent.signal_id).update(
        draft={k: v for k, v in (sent.row.draft or {}).items() if k != "environment"}
    )
    assert routing.act_on(sent.signal_id).signal.error_code == "FOREIGN_PRICES"


def test_real_prices_may_be_tried_below_and_the_decision_says_so(desk):
    outcome = act("mainnet")
    assert outcome.decision is not None
    assert any("mainnet prices" in note for note in outcome.decision.intent["notes"])


@pytest.mark.parametrize(
    ("prices", "place", "may"),
    [
        ("simulator", "mainnet", False),
        ("testnet", "mainnet", False),
        ("demo", "testnet", False),
        ("mainnet", "simulator", True),
        ("mainnet", "mainnet", True),
    ],
)
def test_it_may_only_go_down(prices, place, may):
    assert accounts.prices_allow(prices, place) is may
