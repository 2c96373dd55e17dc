"""Mainnet opens only when each setting says so and a person has enabled its account."""

from __future__ import annotations

import itertools
import json

import pytest
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.models import VenueAccount
from exchanges.venues import registry
from signals_app.services import intake, routing
from tests.fakes.exchange import FakeExchange
from tests.places import MAINNET
from trading.models import Order, VirtualAccount
from trading.services.money import accounts
from trading.services.orders import lifecycle

pytestmark = pytest.mark.django_db

SWITCHES = list(itertools.product([True, False], repeat=4))


def where(simulation: bool, testnet: bool) -> str:
    """What petrosa_site.settings.venue_environment says; its own test is beside the settings."""
    return "simulator" if simulation else "testnet" if testnet else "mainnet"


@pytest.fixture
def mainnet(db):
    """A venue with real money on it, whose account is the default one."""
    venue = FakeExchange(environment="mainnet")
    VirtualAccount.objects.update(is_default=False)
    account = VirtualAccount.objects.create(
        name="mainnet",
        venue_account=VenueAccount.objects.get_or_create(environment="mainnet")[0],
        is_default=True,
        enabled=False,
    )
    catalogue.forget()
    quotes.forget()
    with registry.standing_in(MAINNET, venue):
        yield account, venue
    catalogue.forget()
    quotes.forget()


def buy(**fields) -> routing.Outcome:
    body = {
        "strategy_id": "test",
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.8,
        "quantity": 0.001,
        "timestamp": timezone.now().isoformat(),
        **fields,
    }
    stored = intake.store(
        intake.Inbound(source="test", body=json.dumps(body).encode(), received_at=timezone.now())
    )
    return routing.act_on(stored.signal_id)


@pytest.mark.parametrize(("simulation", "testnet", "allowed", "enabled"), SWITCHES)
def test_an_order_reaches_mainnet_only_with_all_of_them(
    mainnet, settings, simulation, testnet, allowed, enabled
):
    account, venue = mainnet
    settings.VENUE_ENVIRONMENT = where(simulation, testnet)
    settings.MAINNET_TRADING_ENABLED = allowed
    VirtualAccount.objects.filter(pk=account.pk).update(enabled=enabled)

    outcome = buy()

    is_open = (simulation, testnet, allowed, enabled) == (False, False, True, True)
    assert outcome.decision is not None
    assert outcome.decision.approved is is_open, outcome.decision.message
    assert bool(venue.placed) is is_open


def test_a_lock_that_closes_after_the_decision_holds_the_order_back(mainnet, settings):
    account, venue = mainnet
    settings.VENUE_ENVIRONMENT = "mainnet"
    settings.MAINNET_TRADING_ENABLED = True
    VirtualAccount.objects.filter(pk=account.pk).update(enabled=True)
    venue.drop_next()
    order = buy().order
    assert order is not None
    assert order.status == "NEW"  # it could not be sent at once

    settings.MAINNET_TRADING_ENABLED = False
    assert not lifecycle.submit(lifecycle.load(Order.objects.get().pk), actor="sweep").was_sent

    order = Order.objects.get()
    assert order.status == "NOT_PLACED"
    assert "does not allow mainnet" in order.reason
    assert not venue.placed


def test_a_first_boot_with_the_lock_on_makes_no_mainnet_account(db, settings):
    VirtualAccount.objects.all().delete()
    settings.VENUE_ENVIRONMENT = "mainnet"
    settings.MAINNET_TRADING_ENABLED = False

    accounts.ensure_first()

    assert not VirtualAccount.objects.filter(venue_account__environment="mainnet").exists()


def test_a_first_boot_with_the_lock_open_makes_one_that_is_off(db, settings):
    VirtualAccount.objects.all().delete()
    settings.VENUE_ENVIRONMENT = "mainnet"
    settings.MAINNET_TRADING_ENABLED = True

    accounts.ensure_first()

    assert not VirtualAccount.objects.get(venue_account__environment="mainnet").enabled
