"""Limits are data: set in a place, with a reason, under a version, in force at once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from audit.models import Event
from tests.limits import set_limits
from trading.models import Limit, LimitChange, VirtualAccount
from trading.services.control import limits
from trading.services.control.four_eyes import SecondPersonNeeded
from trading.services.money import accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(venue) -> VirtualAccount:
    return VirtualAccount.objects.get(name="simulator")


def wish(value, *, name="max_open_positions", scope="global", key="", reason="quiet day"):
    return limits.Wish(scope, key, name, value, reason)


def ask(value, *, actor="ann", **place) -> LimitChange:
    change = limits.set_limit(wish(value, **place), actor=actor)
    assert change is not None
    return change


def version(change: LimitChange) -> int:
    assert change.version is not None
    return change.version


def held(account, name="max_open_positions", **place):
    return limits.effective(account, **place)[name]


class TestFirstValues:
    def test_the_environment_is_written_down_once(self, account, settings):
        settings.MAX_OPEN_POSITIONS = 99
        limits.first_values.cache_clear()
        try:
            accounts.ensure_first()
            assert held(account).value == 5
        finally:
            limits.first_values.cache_clear()

    def test_it_holds_for_everything_under_a_version_of_its_own(self, account):
        assert held(account).source == "global"
        assert held(account).version > 0


class TestChanging:
    def test_a_change_keeps_who_why_before_and_after(self, account):
        change = ask("3")
        assert (change.before, change.after, change.author) == ("5", "3", "ann")
        event = Event.objects.get(kind="limit.changed", actor="ann")
        assert event.data["reason"] == "quiet day"
        assert event.data["version"] == change.version
        assert limits.effective(account).version == change.version

    def test_each_change_has_the_next_version(self, account):
        assert version(ask("4")) + 1 == version(ask("3"))

    def test_setting_what_is_set_writes_nothing(self, account):
        assert limits.set_limit(wish("5"), actor="ann") is None
        assert not Event.objects.filter(kind="limit.changed", actor="ann").exists()

    def test_unsetting_gives_back_what_the_wider_place_says(self, account):
        ask("2", scope="account", key="simulator")
        ask(None, scope="account", key="simulator")
        assert held(account).value == 5
        rows = Limit.objects.filter(scope="account")
        assert not rows.exclude(name="one_symbol_per_account").exists()

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            (wish("many"), "value"),
            (wish("-1"), "value"),
            (wish("3", name="max_luck"), "name"),
            (wish("3", scope="planet"), "scope"),
            (wish("3", scope="account"), "key"),
            (wish("3", scope="account", key="nobody"), "key"),
            (wish("3", scope="symbol", key="btc/usdt"), "key"),
            (wish("3", scope="strategy", key="<script>"), "key"),
            (wish("1e-400", name="max_position_notional"), "value"),
            (wish("1e25", name="max_position_notional"), "value"),
            (wish("\u0661"), "value"),
            (wish("3", key="simulator"), "key"),
            (wish("3", reason="  "), "reason"),
        ],
    )
    def test_nonsense_is_refused_on_its_field(self, given, field, account):
        with pytest.raises(ValidationError) as refused:
            limits.set_limit(given, actor="ann")
        assert field in refused.value.message_dict

    def test_any_version_can_be_read_again(self, account):
        first = ask("3")
        ask("2")
        ask(None)
        then = {(s.scope, s.name): s.value for s in limits.as_of(version(first))}
        assert then["global", "max_open_positions"] == "3"


class TestFourEyes:
    @pytest.fixture(autouse=True)
    def two_people(self, settings, account):
        settings.FOUR_EYES = True

    def test_lowering_risk_takes_effect_at_once(self, account):
        assert ask("3").state == "applied"
        assert held(account).value == 3

    def test_a_looser_value_waits(self, account):
        change = ask("9")
        assert (change.state, change.version) == ("pending", None)
        assert held(account).value == 5
        assert Event.objects.filter(kind="limit.asked", actor="ann").exists()

    def test_another_lets_it_hold(self, account):
        change = limits.approve(ask("9").pk, actor="ben", reason="agreed")
        assert (change.decided_by, held(account).value) == ("ben", 9)

    def test_its_author_cannot(self, account):
        change = ask("9")
        with pytest.raises(SecondPersonNeeded):
            limits.approve(change.pk, actor="ann")
        assert held(account).value == 5

    def test_it_is_approved_once(self, account):
        change = ask("9")
        limits.approve(change.pk, actor="ben")
        with pytest.raises(ValidationError):
            limits.approve(change.pk, actor="eve")

    def test_what_changed_meanwhile_is_asked_anew(self, account):
        change = ask("9")
        ask("2", actor="eve")
        with pytest.raises(ValidationError, match="changed since"):
            limits.approve(change.pk, actor="ben")
        assert held(account).value == 2

    def test_a_declined_one_never_holds(self, account):
        change = limits.decline(ask("9").pk, actor="ben", reason="not today")
        assert change.state == "declined"
        with pytest.raises(ValidationError):
            limits.approve(change.pk, actor="eve")

    def test_a_strategy_cannot_pass_a_stricter_account_by(self, account):
        """Equal to the global value, and yet looser for whoever trades in the account."""
        ask("1", scope="account", key="simulator")
        assert ask("5", scope="strategy", key="skew").state == "pending"

    def test_unsetting_a_strict_value_waits(self, account):
        ask("1", scope="symbol", key="BTCUSDT")
        assert ask(None, scope="symbol", key="BTCUSDT").state == "pending"

    def test_taking_the_hard_cap_away_waits(self, account):
        assert ask("4", scope="cap").state == "applied"
        assert ask(None, scope="cap").state == "pending"


class TestDeciding:
    def test_a_lowered_limit_denies_the_next_signal(self, send):
        set_limits(max_open_positions=0)
        assert send().decision.code == "OPEN_POSITIONS_AT_MAX"

    def test_the_decision_links_its_version(self, send):
        change = ask("0.9", name="min_confidence")
        decision = send().decision
        assert decision.code == "CONFIDENCE_BELOW_MIN"
        assert decision.limits_version == change.version

    def test_unsetting_has_a_version_of_its_own(self, send):
        ask("0.9", name="min_confidence")
        change = ask(None, name="min_confidence")
        decision = send().decision
        assert decision.approved
        assert decision.limits_version == change.version

    def test_a_symbol_has_its_own(self, send):
        set_limits(scope="symbol", key="ETHUSDT", min_confidence="0.95")
        assert send(symbol="ETHUSDT", quantity=0.1).decision.code == "CONFIDENCE_BELOW_MIN"
        assert send().decision.approved

    def test_a_strategy_has_its_own(self, send):
        set_limits(scope="strategy", key="wild", min_confidence="0.95")
        assert send(strategy_id="wild").decision.code == "CONFIDENCE_BELOW_MIN"
        assert send().decision.approved

    def test_another_accounts_limits_are_no_matter(self, send):
        other = VirtualAccount.objects.create(
            name="other", venue_account=VirtualAccount.objects.get().venue_account
        )
        set_limits(scope="account", key=other.name, max_open_positions=0)
        assert send().decision.approved

    def test_no_place_is_looser_than_the_hard_cap(self, send):
        set_limits(scope="cap", max_position_notional=100)
        set_limits(scope="symbol", key="BTCUSDT", max_position_notional=100000)
        plan = send(quantity=0.01).decision.plan
        assert Decimal(plan["notional"]) <= 100
