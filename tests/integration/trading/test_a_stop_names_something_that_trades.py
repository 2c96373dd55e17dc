"""A stop for a symbol that no venue lists is refused at every door; none waits for a list."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from exchanges import catalogue
from exchanges.models import InstrumentRow
from tests.people import logged_in
from tests.places import SIMULATOR
from trading.models import TradingState
from trading.services.control import commands, kill_switch
from trading.services.money import accounts

pytestmark = pytest.mark.django_db
WHY = "is a symbol that no venue lists"


@pytest.fixture
def listed(venue) -> None:
    accounts.ensure_first()
    catalogue.refresh(SIMULATOR)


def test_a_listed_symbol_and_one_that_was_listed_may_be_stopped(listed):
    InstrumentRow.objects.filter(symbol="ETHUSDT").update(status="DELISTED")

    assert kill_switch.fault_of_key("symbol", "BTCUSDT") == ""
    assert kill_switch.fault_of_key("symbol", "ETHUSDT") == ""


def test_a_slip_of_the_pen_is_refused(listed):
    assert kill_switch.fault_of_key("symbol", "BTCUSD") == WHY


def test_without_any_list_a_stop_is_let_through(venue):
    assert not InstrumentRow.objects.exists()
    assert kill_switch.fault_of_key("symbol", "BTCUSD") == ""


def test_while_one_venue_s_list_is_not_loaded_a_stop_is_let_through(listed):
    InstrumentRow.objects.update(environment="demo")

    assert kill_switch.fault_of_key("symbol", "ONLYHERE") == ""


class TestEveryDoor:
    pytestmark = pytest.mark.usefixtures("listed")

    def test_api(self, api_client):
        wish = {"scope": "symbol", "key": "btcusd", "reason": "odd prices"}
        answer = api_client.post("/api/v1/trading-state/", wish, format="json")

        assert (answer.status_code, answer.json()["field"]) == (400, "key")
        assert WHY in json.dumps(answer.json())

    def test_api_reads_a_symbol_as_the_others_do(self, api_client):
        wish = {"scope": "symbol", "key": " btcusdt ", "reason": "odd prices"}

        assert api_client.post("/api/v1/trading-state/", wish, format="json").status_code == 201
        assert TradingState.objects.get().key == "BTCUSDT"

    def test_admin(self):
        wish = {"mode": "HALTED", "scope": "symbol", "key": "btcusd", "reason": "odd prices"}
        address = reverse("admin:trading_tradingstate_add")
        answer = logged_in("trading.engage_kill_switch").post(address, wish)

        assert answer.context["adminform"].form.errors["key"] == [f"The key {WHY}."]

    def test_command_line(self):
        words = ("HALTED", "--scope", "symbol", "--key", "btcusd", "--reason", "odd prices")
        with pytest.raises(CommandError, match=f"--key {WHY}"):
            call_command("kill_switch", "engage", *words)

    def test_message(self):
        said = {"command": "stop", "by": "ann", "scope": "symbol", "key": "btcusd"}
        with pytest.raises(commands.Refused, match=WHY):
            commands.read(said)
