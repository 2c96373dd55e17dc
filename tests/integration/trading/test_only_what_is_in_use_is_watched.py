"""An environment that nobody trades in, or that the configuration forbids, is not looked after."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from exchanges.models import VenueAccount
from exchanges.venues import registry
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR, TESTNET
from trading.models import Position, VirtualAccount
from trading.selectors import venues_in_use, watched_symbols
from trading.services.control import circuit_breakers
from trading.services.execution import reconciliation
from trading.services.money import accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def on_testnet(settings):
    """The first boot of an installation that simulates nothing."""
    settings.SIMULATION_ENABLED = False
    settings.VENUE_ENVIRONMENT = "testnet"
    VirtualAccount.objects.all().delete()
    VenueAccount.objects.all().delete()
    accounts.ensure_first()


def test_without_simulation_the_simulators_account_starts_off(on_testnet):
    assert dict(VirtualAccount.objects.values_list("name", "enabled")) == {
        "simulator": False,
        "testnet": True,
    }


def test_what_is_off_is_not_watched(on_testnet):
    assert venues_in_use.venues() == [TESTNET]
    assert set(watched_symbols.symbols_by_venue()) == {TESTNET}
    assert {f.key for f in circuit_breakers._clock_skew(timezone.now())} == {str(TESTNET)}


def test_what_is_off_is_not_tied_out(on_testnet):
    out = StringIO()
    with registry.standing_in(TESTNET, FakeExchange(environment="testnet")):
        reconciliation.refresh_balances()  # asks no simulator either
        call_command("tie_out", stdout=out)

    assert "simulator" not in out.getvalue()
    assert "testnet" in out.getvalue()


def test_what_is_off_is_watched_while_something_is_held_there(on_testnet):
    idle = VirtualAccount.objects.get(name="simulator")
    Position.objects.create(
        account=idle, symbol="BTCUSDT", quantity="0.01", is_open=True, updated_at=timezone.now()
    )

    assert venues_in_use.venues() == [SIMULATOR, TESTNET]


def test_what_the_configuration_forbids_is_not_watched(settings):
    venue_account = VenueAccount.objects.create(environment="mainnet")
    VirtualAccount.objects.create(name="real", venue_account=venue_account, enabled=True)

    assert venues_in_use.venues() == [SIMULATOR]
