"""Five places where the sources contradict each other, and the one answer each has here."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import orjson
import pytest
from django.core.management import call_command
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.models import VenueAccount
from exchanges.venues import registry
from signals_app.services import intake, routing, strategy_settings
from signals_app.strategies import catalogue as catalogue_of_strategies
from tests.fakes.exchange import FakeExchange
from tests.limits import set_limits
from tests.places import TESTNET
from tests.unit.strategies.realtime.market import Market, made
from trading.models import VirtualAccount
from trading.services.money import account_settings, accounts, balances

pytestmark = pytest.mark.django_db
D = Decimal


def change(**changes):
    account = VirtualAccount.objects.get(name="simulator")
    account_settings.change(account_id=account.pk, changes=changes, actor="test")


class TestTwoPercentOfTheMoneyAndTwoPercentOfRiskAreTwoSettings:
    """With a stop 2 % away 0.02 of the one would be fifty times 0.02 of the other."""

    def test_position_pct_is_what_an_entry_costs(self, send):
        set_limits(max_position_notional=0, position_pct="0.02", risk_per_trade="0.002")
        plan = send(quantity=None, confidence=1, stop_loss=44_100).decision.plan
        assert D(plan["notional"]) == pytest.approx(D(2000), rel=D("0.02"))

    def test_risk_per_trade_is_what_it_loses_at_its_stop(self, send):
        accounts.ensure_first()
        change(sizing_model="risk_to_stop")
        set_limits(max_position_notional=0, risk_per_trade="0.002", position_pct="0.02")
        plan = send(quantity=None, confidence=1, stop_loss=44_100).decision.plan
        quantity, entry = D(plan["quantity"]), D(plan["reference_price"])
        fees = D("0.001") * (entry + 44_100)
        lost = quantity * (entry - 44_100 + fees)
        assert lost <= 200
        assert lost == pytest.approx(D(200), rel=D("0.02"))
        assert D(plan["notional"]) > 4 * lost


class TestASkewStrategyThatWantsTheSpreadThatTheDeskRefuses:
    """It signals from a spread of 0.1 % on, and 10 basis points are 0.1 %: it could never trade."""

    @pytest.fixture(autouse=True)
    def account(self, venue: FakeExchange):
        accounts.ensure_first()
        account = VirtualAccount.objects.select_related("venue_account").get(name="simulator")
        balances.refresh(account.venue_account)
        return account

    def said(self) -> str:
        out = StringIO()
        with suppress(SystemExit):
            call_command("check_limits", stdout=out)
        return out.getvalue()

    def test_it_is_named_with_the_fix(self):
        said = self.said()
        assert (
            "NEVER TRADES: simulator, strategy orderbook_skew: it signals from a spread of" in said
        )
        assert "max_spread_bps is 10" in said
        assert "fix: set max_spread_bps above 10 for strategy orderbook_skew" in said
        assert "give orderbook_skew its preset recommended" in said

    def test_a_wider_spread_for_that_strategy_mends_it(self):
        set_limits(scope="strategy", key="orderbook_skew", max_spread_bps=20)
        assert "orderbook_skew" not in self.said()

    def test_its_recommended_preset_mends_it_and_it_trades(self, send):
        preset = catalogue_of_strategies.BY_ID["orderbook_skew"].presets["recommended"]
        wish = strategy_settings.Wish(params=preset)
        strategy_settings.change(
            strategy_id="orderbook_skew", wish=wish, reason="never trades", actor="test"
        )
        assert "orderbook_skew" not in self.said()
        market = Market(made("orderbook_skew", **preset))
        for _ in range(80):
            market.book(20, 10)
            market.wait(0.5)
        (one,) = market.said
        said = orjson.loads(replace(one, price=45_000).payload())
        outcome = send(**said | {"timestamp": timezone.now().isoformat()})
        assert outcome.decision.approved
        assert outcome.order.status == "FILLED"

    def test_in_shadow_it_is_in_nobodys_way(self):
        wish = strategy_settings.Wish(mode="shadow")
        strategy_settings.change(
            strategy_id="orderbook_skew", wish=wish, reason="to watch", actor="test"
        )
        assert "orderbook_skew" not in self.said()

    def test_what_a_mapped_strategy_of_others_asks_for_counts_as_well(self, account):
        accounts.map_strategy("theirs", account, actor="test")
        accounts.tell_needs("theirs", min_spread_bps=D(10), actor="test")
        assert "NEVER TRADES: simulator, strategy theirs" in self.said()
        accounts.tell_needs("theirs", min_spread_bps=D(0), actor="test")
        assert "theirs" not in self.said()

    def test_one_of_ours_that_is_mapped_is_named_in_its_account(self, account):
        accounts.map_strategy("orderbook_skew", account, actor="test")
        assert self.said().count("strategy orderbook_skew: it signals") == 1


class TestAnExitInAClosedWindow:
    """Hours of another market in one that never closes: they bind entries, never exits."""

    def test_the_exit_goes_out_and_the_entry_does_not(self, send):
        assert send().decision.approved
        opens = timezone.now() + timedelta(hours=2)
        change(trading_window=f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M}")
        assert send().decision.code == "TRADING_WINDOW_CLOSED"
        out = send(action="close", quantity=None).decision
        assert out.approved
        [verdict] = [v for v in out.verdicts if v["rule"] == "trading_window"]
        assert verdict["skipped"]

    def test_without_hours_the_desk_is_open_round_the_clock(self, send):
        [verdict] = [v for v in send().decision.verdicts if v["rule"] == "trading_window"]
        assert verdict["limit"] == "24/7"


class TestOneSymbolAndFivePositions:
    """Five are entries in the one symbol of an account; five positions are over all accounts."""

    @pytest.fixture
    def own(self, venue):
        accounts.ensure_first()
        made = []
        for number in range(6):
            row = VirtualAccount(name=f"own-{number}", venue_account=VenueAccount.objects.get())
            made.append(account_settings.create(row, actor="test"))
            accounts.map_strategy(row.name, row, actor="test")
        return made

    def test_an_account_adds_five_times_to_its_symbol_and_enters_no_other(self, send, own):
        for _ in range(5):
            assert send(strategy_id="own-0").decision.approved
        assert send(strategy_id="own-0").decision.code == "OPEN_POSITIONS_AT_MAX"
        assert send(strategy_id="own-0", symbol="ETHUSDT", quantity=0.1).decision.code == (
            "ONE_SYMBOL_TAKEN"
        )

    def test_five_accounts_hold_something_at_a_time(self, send, own):
        for number in range(5):
            assert send(strategy_id=f"own-{number}").decision.approved
        sixth = {"strategy_id": "own-5", "symbol": "ETHUSDT", "quantity": 0.1}
        assert send(**sixth).decision.code == "OPEN_POSITIONS_TOTAL_AT_MAX"
        assert send(strategy_id="own-0", action="close", quantity=None).decision.approved
        assert send(**sixth).decision.approved


class TestASignalThatSaysSimulateFalse:
    """`simulate` lowers where a signal trades. False asks for nothing: it never raises it."""

    def send(self, **fields):
        payload = {
            "strategy_id": "test",
            "symbol": "BTCUSDT",
            "action": "buy",
            "confidence": 0.8,
            "quantity": 0.01,
            "timestamp": timezone.now().isoformat(),
        } | fields
        inbound = intake.Inbound("test", json.dumps(payload).encode(), timezone.now())
        return routing.act_on(intake.store(inbound).signal_id)

    @pytest.fixture
    def testnet(self, venue):
        exchange = FakeExchange(environment="testnet", balances={"USDT": "100000"})
        with registry.standing_in(TESTNET, exchange):
            yield exchange
        catalogue.forget()
        quotes.forget()

    def test_it_stays_in_the_simulator_when_its_account_is_there(self, venue, testnet):
        accounts.ensure_first()
        assert self.send(simulate=False).decision.environment == "simulator"
        assert self.send(meta={"simulate": False}).decision.environment == "simulator"
        assert not testnet.placed

    def test_true_takes_it_out_of_its_accounts_market(self, venue, testnet, settings):
        accounts.ensure_first()
        settings.VENUE_ENVIRONMENT = "testnet"
        real, _ = VenueAccount.objects.get_or_create(environment="testnet")
        made = account_settings.create(
            VirtualAccount(name="real", venue_account=real), actor="test"
        )
        accounts.map_strategy("test", made, actor="test")
        assert self.send().decision.environment == "testnet"
        assert self.send(simulate=True).decision.environment == "simulator"
