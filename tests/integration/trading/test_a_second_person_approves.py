"""With FOUR_EYES, releasing a stop and real money wait until somebody else approves."""

from __future__ import annotations

import getpass
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from audit.models import Event
from exchanges.models import VenueAccount
from trading.models import Approval, StrategyMapping, TradingState, VirtualAccount
from trading.services.control import four_eyes, kill_switch
from trading.services.control.four_eyes import SecondPersonNeeded
from trading.services.money import account_settings, accounts, approvals

pytestmark = pytest.mark.django_db
HERE = f"{getpass.getuser()} (command line)"


@pytest.fixture(autouse=True)
def two_people_needed(settings, venue):
    settings.FOUR_EYES = True


@pytest.fixture
def stop() -> TradingState:
    return kill_switch.engage(actor="ann", reason="storm")


@pytest.fixture
def real(settings) -> VirtualAccount:
    """An account for real money that is switched off, where the configuration allows it."""
    settings.VENUE_ENVIRONMENT = "mainnet"
    settings.MAINNET_TRADING_ENABLED = True
    place = VenueAccount.objects.create(environment="mainnet")
    account = VirtualAccount(name="real", venue_account=place)
    return account_settings.create(account, actor="ann")


def pending() -> Approval:
    return Approval.objects.get(state="pending")


class TestReleasing:
    def test_it_waits_and_stays_stopped(self, stop):
        outcome = kill_switch.release(state_id=stop.pk, actor="ann", reason="calm")

        assert not outcome
        assert outcome.waits == pending()
        assert TradingState.objects.get().released_at is None
        assert Event.objects.get(kind="approval.asked").actor == "ann"

    def test_another_lets_it_happen(self, stop):
        kill_switch.release(state_id=stop.pk, actor="ann", reason="calm")
        approvals.approve(pending().pk, actor="ben", reason="seen")

        state = TradingState.objects.get()
        assert (state.released_by, state.release_reason) == ("ben", "calm (asked by ann)")
        assert Approval.objects.get().state == "approved"
        told = Event.objects.filter(kind__in=("approval.approved", "control.released"))
        assert [e.actor for e in told] == ["ben", "ben"]

    @pytest.mark.parametrize("again", ["ann", "Ann", "ann (command line)", "ann (nats)"])
    def test_never_the_same_person_by_whatever_road(self, stop, again):
        kill_switch.release(state_id=stop.pk, actor="ann", reason="calm")

        with pytest.raises(SecondPersonNeeded):
            approvals.approve(pending().pk, actor=again)
        assert TradingState.objects.get().released_at is None
        assert not Event.objects.filter(kind="approval.approved").exists()

    def test_who_stopped_may_be_the_second(self, stop):
        kill_switch.release(state_id=stop.pk, actor="ben", reason="calm")
        approvals.approve(pending().pk, actor="ann")

        assert TradingState.objects.get().released_at is not None

    def test_asking_twice_waits_once(self, stop):
        first = kill_switch.release(state_id=stop.pk, actor="ann", reason="calm").waits
        assert kill_switch.release(state_id=stop.pk, actor="ann", reason="calm").waits == first

    def test_a_no_needs_a_reason_and_leaves_it_stopped(self, stop):
        kill_switch.release(state_id=stop.pk, actor="ann", reason="calm")
        with pytest.raises(ValidationError):
            approvals.decline(pending().pk, actor="ben", reason=" ")
        approvals.decline(pending().pk, actor="ben", reason="not yet")

        assert TradingState.objects.get().released_at is None
        assert Event.objects.get(kind="approval.declined").data["reason"] == "not yet"
        with pytest.raises(ValidationError):
            approvals.approve(Approval.objects.get().pk, actor="ben")

    def test_stopping_again_takes_the_wish_away(self, stop):
        kill_switch.release(state_id=stop.pk, actor="ann", reason="calm")
        kill_switch.engage(actor="eve", reason="storm again")

        assert Approval.objects.get().state == "declined"

    def test_what_was_released_meanwhile_is_told(self, stop, settings):
        kill_switch.release(state_id=stop.pk, actor="ann", reason="calm")
        kill_switch.carry_out_release(state_id=stop.pk, actor="eve", reason="by other means")

        with pytest.raises(ValidationError, match="released before"):
            approvals.approve(pending().pk, actor="ben")
        assert pending().state == "pending"

    def test_what_a_breaker_stopped_takes_two_people_too(self):
        state = kill_switch.engage(
            actor="trip:venue-errors", reason="30 of 30", scope="venue", key="x"
        )
        kill_switch.release(state_id=state.pk, actor="ann", reason="calm")

        assert TradingState.objects.get().released_at is None

    def test_without_the_setting_one_is_enough(self, stop, settings):
        settings.FOUR_EYES = False

        assert kill_switch.release(state_id=stop.pk, actor="ann", reason="calm")
        assert not Approval.objects.exists()


class TestRealMoney:
    def test_switching_an_account_on_waits_and_the_rest_holds_at_once(self, real):
        changes = {"enabled": True, "allowed_symbols": ["BTCUSDT"]}
        done = account_settings.change(account_id=real.pk, changes=changes, actor="ann")

        assert done.waits == pending()
        real.refresh_from_db()
        assert (real.enabled, real.allowed_symbols) == (False, ["BTCUSDT"])
        approvals.approve(pending().pk, actor="ben")
        real.refresh_from_db()
        assert real.enabled
        assert Event.objects.filter(kind="account.changed").latest("id").actor == "ben"

    def test_taking_what_is_not_mapped_waits(self, real):
        account_settings.change(account_id=real.pk, changes={"is_default": True}, actor="ann")

        assert VirtualAccount.objects.get(is_default=True).name == "simulator"
        approvals.approve(pending().pk, actor="ben")
        assert VirtualAccount.objects.get(is_default=True).name == "real"

    def test_so_it_does_from_the_start(self, real):
        account = VirtualAccount(name="two", venue_account=real.venue_account, is_default=True)
        account_settings.create(account, actor="ann")

        assert not VirtualAccount.objects.get(name="two").is_default
        assert "two" in pending().words

    def test_a_configuration_that_forbids_it_by_then_still_does(self, real, settings):
        account_settings.change(account_id=real.pk, changes={"enabled": True}, actor="ann")
        settings.MAINNET_TRADING_ENABLED = False

        with pytest.raises(ValidationError):
            approvals.approve(pending().pk, actor="ben")
        real.refresh_from_db()
        assert not real.enabled
        assert pending().state == "pending"

    def test_switching_off_never_waits(self, real):
        VirtualAccount.objects.filter(pk=real.pk).update(enabled=True)
        account_settings.change(account_id=real.pk, changes={"enabled": False}, actor="ann")

        real.refresh_from_db()
        assert not real.enabled
        assert not Approval.objects.exists()

    def test_simulated_money_never_waits(self):
        account = VirtualAccount.objects.get(name="simulator")
        account_settings.change(account_id=account.pk, changes={"enabled": False}, actor="ann")
        account_settings.change(account_id=account.pk, changes={"enabled": True}, actor="ann")

        assert not Approval.objects.exists()

    def test_mapping_a_strategy_to_it_waits(self, real):
        outcome = accounts.map_strategy("skew", real, actor="ann")

        assert outcome.waits
        assert not StrategyMapping.objects.exists()
        approvals.approve(pending().pk, actor="ben")
        assert StrategyMapping.objects.get().account == real

    def test_a_newer_wish_takes_the_place_of_an_older_one(self, real):
        other = VirtualAccount(name="two", venue_account=real.venue_account)
        account_settings.create(other, actor="ann")
        accounts.map_strategy("skew", real, actor="ann")
        accounts.map_strategy("skew", other, actor="ann")

        assert pending().wish == {"account": other.pk}
        assert Approval.objects.filter(state="declined").count() == 1

    def test_mapping_it_away_from_it_does_not_wait(self, real):
        accounts.carry_out_mapping("skew", real, actor="ann")

        assert accounts.map_strategy("skew", None, actor="ann")
        assert not StrategyMapping.objects.exists()


class TestTheCommandLine:
    def run(self, *words: str) -> str:
        out = StringIO()
        call_command(*words, stdout=out)
        return out.getvalue()

    def test_it_tells_what_waits_and_decides(self, stop):
        said = self.run("kill_switch", "release", str(stop.pk), "--reason", "calm")
        assert f"approve {pending().pk}" in said
        assert "release HALTED global" in self.run("approvals", "list")
        with pytest.raises(CommandError, match="another must approve"):
            self.run("approvals", "approve", str(pending().pk), "--reason", "x")

        Approval.objects.update(author="ann")
        assert "Done" in self.run("approvals", "approve", str(pending().pk), "--reason", "x")
        assert TradingState.objects.get().released_by == HERE
        assert "Nothing waits" in self.run("approvals", "list")

    def test_accounts_tell_that_they_wait(self, real):
        assert "Not done yet" in self.run("accounts", "edit", "real", "--enabled", "on")
        assert "Not done yet" in self.run("accounts", "map", "skew", "real")


def test_a_person_is_known_by_every_road():
    assert four_eyes.is_same("ann", "ANN (telegram)")
    assert not four_eyes.is_same("ann", "anne")
