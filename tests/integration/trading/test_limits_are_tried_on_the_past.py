"""`manage.py replay_risk`: stored decisions under proposed limits, and what they earned."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.limits import set_limits
from trading.models import ClosedTrade, Decision, LimitBook, VirtualAccount
from trading.services.control import kill_switch
from trading.services.control.limit_proposals import Proposal
from trading.services.reports import replay

pytestmark = pytest.mark.django_db
D = Decimal


def under(*proposals: Proposal, account: str = "") -> replay.Report:
    until = timezone.now()
    return replay.run(
        proposals=list(proposals), since=until - timedelta(days=1), until=until, account=account
    )


def everywhere(name: str, value: str | None) -> Proposal:
    return Proposal("global", "", name, value)


def out(send):
    return send(action="close", quantity=None)


@pytest.fixture
def a_day(send, venue):
    """Signals of every kind, under limits that change on the way."""
    send(confidence=0.9, quantity=0.02)
    venue.move("BTCUSDT", "46000")
    out(send)
    send(confidence=0.6, quantity=0.02)
    venue.move("BTCUSDT", "45000")
    out(send)
    send(confidence=0.1)
    set_limits(min_confidence="0.05", max_gross_exposure=5000, max_entries_per_position=3)
    send(confidence=0.2)
    set_limits(scope="strategy", key="eager", max_orders_per_minute=1)
    send(strategy_id="eager")
    send(strategy_id="eager")
    send(quantity=1)
    send(symbol="ETHUSDT", quantity=None)
    send(symbol="NOPEUSDT")
    send(order_type="limit", price=40000, quantity=0.01, stop_loss=39000)
    state = kill_switch.engage(actor="test", reason="a drill")
    send()
    kill_switch.release(state_id=state.pk, actor="test", reason="over")
    call_command("accounts", "edit", "simulator", sizing_model="risk_to_stop")
    send(quantity=None)
    call_command("accounts", "edit", "simulator", sizing_model="fractional_kelly")
    send(quantity=None)
    out(send)


def test_the_same_limits_change_nothing(a_day):
    report = under()
    denied = Decision.objects.filter(approved=False)
    assert report.not_replayable == {}
    assert report.changes == []
    assert report.resized == 0
    assert report.decisions == Decision.objects.count() == 16
    assert report.still_denied == denied.count()
    assert len({d.code for d in denied}) >= 6


def test_what_was_set_all_along_proposed_again_changes_nothing(a_day):
    report = under(everywhere("max_open_positions", "5"), everywhere("max_repeats", "10"))
    assert (report.changes, report.not_replayable) == ([], {})


def test_a_stricter_limit_denies_and_takes_the_profit_along(send, venue):
    send(confidence=0.9)
    venue.move("BTCUSDT", "46000")
    out(send)
    send(confidence=0.6)
    venue.move("BTCUSDT", "45000")
    out(send)
    winner, loser = ClosedTrade.objects.order_by("pk")

    report = under(everywhere("min_confidence", "0.7"))

    [change] = report.changes
    assert (change.after, change.limit, change.actual) == ("CONFIDENCE_BELOW_MIN", "0.7", "0.6")
    assert report.now_denied == {"CONFIDENCE_BELOW_MIN": 1}
    assert (report.kept.profit, report.lost.profit) == (
        {"USDT": winner.profit},
        {"USDT": loser.profit},
    )
    assert loser.profit < 0 < winner.profit
    assert report.after_a_change == 1  # the close of what would not have been bought


def test_a_looser_limit_tells_what_would_have_passed(send):
    send(confidence=0.4)
    report = under(everywhere("min_confidence", "0.3"))
    assert report.now_approved == {"CONFIDENCE_BELOW_MIN": 1}
    assert report.kept.entries == report.lost.entries == 0


def test_a_limit_denied_by_another_is_told_as_such(send):
    send(confidence=0.1, symbol="NOPEUSDT")
    report = under(everywhere("min_confidence", "0"))
    assert report.other_code == {"CONFIDENCE_BELOW_MIN -> SYMBOL_UNKNOWN": 1}


def test_the_most_specific_place_and_the_cap_hold_as_in_the_book(send):
    set_limits(scope="symbol", key="BTCUSDT", min_confidence="0.2")
    send(confidence=0.3)
    assert under(everywhere("min_confidence", "0.9")).changes == []
    capped = under(Proposal("cap", "", "min_confidence", "0.9"))
    assert capped.now_denied == {"CONFIDENCE_BELOW_MIN": 1}
    unset = under(Proposal("symbol", "BTCUSDT", "min_confidence", None))
    assert unset.now_denied == {"CONFIDENCE_BELOW_MIN": 1}


def test_another_size_is_told(send):
    send(quantity=None)
    report = under(everywhere("position_pct", "0.01"))
    assert (report.still_approved, report.resized) == (1, 1)


def test_a_pace_counts_what_the_proposal_itself_lets_through(send):
    for _ in range(5):
        send()
    report = under(everywhere("max_orders_per_minute", "2"))
    assert report.now_denied == {"ORDER_RATE_MINUTE_AT_MAX": 3}
    assert report.still_approved == 2


def test_a_pace_nobody_counted_then_is_counted_from_the_decisions(send):
    set_limits(max_orders_per_day=0)
    for strategy in ("a", "a", "b", "a"):
        send(strategy_id=strategy)
    report = under(Proposal("strategy", "a", "max_orders_per_day", "2"))
    [change] = report.changes
    assert (change.strategy_id, change.after) == ("a", "ORDER_RATE_DAY_AT_MAX")


def test_entries_let_through_make_room_for_fewer_later_ones(send):
    set_limits(max_orders_per_minute=1)
    send(confidence=0.4)  # denied then, let through now: it takes the only place
    send(confidence=0.9)
    report = under(everywhere("min_confidence", "0.3"))
    assert report.now_approved == {"CONFIDENCE_BELOW_MIN": 1}
    assert report.now_denied == {"ORDER_RATE_MINUTE_AT_MAX": 1}


def test_a_shorter_streak_would_have_ended_entries_sooner(send):
    for _ in range(2):  # there and back costs the fees, so each is a loss
        send(confidence=0.9)
        out(send)
    assert send(confidence=0.9).decision.approved

    assert under(everywhere("cooldown_after_losses", "3")).changes == []
    report = under(everywhere("cooldown_after_losses", "2"))
    [change] = report.changes
    assert (change.after, change.limit, change.actual) == ("COOLDOWN_AFTER_LOSSES", "2", "2")
    assert under(Proposal("strategy", "another", "cooldown_after_losses", "1")).changes == []


def test_a_longer_streak_would_have_let_entries_through(send):
    for _ in range(3):
        send()
        out(send)
    assert send().decision.code == "COOLDOWN_AFTER_LOSSES"
    report = under(everywhere("cooldown_after_losses", "4"))
    assert report.now_approved == {"COOLDOWN_AFTER_LOSSES": 1}
    assert under(everywhere("cooldown_seconds", "0")).now_approved == report.now_approved


def test_steps_of_losses_are_asked_of_the_loss_seen_then(send, venue):
    send(quantity=0.1)
    venue.move("BTCUSDT", "40000")
    out(send)
    send(symbol="ETHUSDT", quantity=1)
    [change] = under(everywhere("daily_loss_reduce_pct", "0.1")).changes
    assert (change.symbol, change.after) == ("ETHUSDT", "DAILY_LOSS_AT_MAX")


def test_what_was_not_looked_up_then_is_not_guessed(send):
    set_limits(max_open_positions_total=0)
    send()
    send(confidence=0.1)
    report = under(everywhere("max_gross_exposure", "1"))
    assert report.not_replayable == {"what the rule gross_exposure asks was not looked up then": 1}
    assert report.unknown.entries == 1
    assert report.still_denied == 1


def test_a_record_from_before_is_told_and_not_guessed(send):
    decision = send().decision
    short = {k: v for k, v in decision.market.items() if k not in ("instrument", "limits")}
    Decision.objects.update(market=short)
    [why] = under(everywhere("min_confidence", "0.9")).not_replayable
    assert "instrument" in why


def test_rules_that_judge_otherwise_today_are_told(send):
    send(confidence=0.1)
    Decision.objects.update(code="OF_OLD")
    [why] = under().not_replayable
    assert why == "the rules have changed since: OF_OLD then, CONFIDENCE_BELOW_MIN now"


def test_entries_of_one_trade_share_its_profit_by_quantity(send, venue):
    send(quantity=0.03, confidence=0.9)
    send(quantity=0.01, confidence=0.6)
    out(send)
    profit = ClosedTrade.objects.get().profit
    report = under(everywhere("min_confidence", "0.7"))
    assert report.lost.profit["USDT"] == profit / 4
    assert report.kept.profit["USDT"] == profit * 3 / 4


def test_what_is_still_open_and_what_never_filled_is_counted_apart(send):
    send(quantity=0.01)
    resting = send(order_type="limit", price=40000, quantity=0.01, stop_loss=39000)
    assert resting.decision.approved, resting.decision.message
    report = under()
    assert (report.kept.entries, report.kept.still_open, report.kept.not_filled) == (2, 1, 1)


def test_one_account_alone(send):
    send()
    assert under(account="simulator").decisions == 1
    assert VirtualAccount.objects.count() == 1
    assert under(account="another").decisions == 0


class TestTheCommand:
    def run(self, tmp_path: Path, text: str, *, name: str = "limits.yaml", **options: Any) -> str:
        path = tmp_path / name
        path.write_text(text)
        told = StringIO()
        call_command("replay_risk", days=1, limits=path, stdout=told, **options)
        return told.getvalue()

    def test_it_tells_people(self, tmp_path, a_day):
        before = LimitBook.objects.get().version
        told = self.run(tmp_path, "- {scope: global, name: min_confidence, value: 0.7}")
        assert "CONFIDENCE_BELOW_MIN" in told
        assert "would be denied" in told
        assert "Not modelled" in told
        assert LimitBook.objects.get().version == before

    def test_it_tells_programs(self, tmp_path, a_day):
        told = json.loads(
            self.run(tmp_path, "scope,key,name,value\nglobal,,min_confidence,0.7\n",
                     name="limits.csv", json=True)
        )  # fmt: skip
        assert told["now_denied"]["CONFIDENCE_BELOW_MIN"] >= 1
        assert D(told["lost"]["profit"]["USDT"]) < 0
        assert told["proposals"][0]["name"] == "min_confidence"

    def test_an_empty_file_is_the_limits_as_they_were(self, tmp_path, a_day):
        assert json.loads(self.run(tmp_path, "", json=True))["changes"] == []

    def test_every_fault_is_named_by_its_line_with_the_fix(self, tmp_path, send):
        text = (
            "- {scope: global, name: min_confidence, value: 7}\n"
            "- {scope: account, key: nobody, name: max_spread_bps, value: 5}\n"
            "- scope: global\n  name: min_confidense\n  value: 1\n"
            "- {scope: global, nmae: x}\n"
        )
        with pytest.raises(CommandError) as error:
            self.run(tmp_path, text)
        said = str(error.value)
        assert "line 1: value: min_confidence: 7 is out of range, 0 to 1" in said
        assert "line 2: key: There is no account nobody." in said
        assert "line 3: name: There is no limit min_confidense; there are" in said
        assert "line 6: nmae: there is no such field: write scope, key, name, value" in said

    @pytest.mark.parametrize(
        ("name", "text", "told"),
        [
            ("l.yaml", "a: [", "line 1: this is not YAML"),
            ("l.yaml", "scope: global", "line 1: write a list of entries"),
            ("l.yaml", "- {scope: global, name: [a], value: 1}", "line 1: name: write one value"),
            ("l.json", '[\n{"scope": }]', "line 2: this is not JSON"),
            ("l.csv", "limit,value\n", "line 1: begin with the heading scope,key,name,value"),
            ("l.txt", "", "name it .yaml"),
            (
                "l.yaml",
                "- {scope: cap, name: max_repeats, value: 1}\n" * 2,
                "line 2: the same limit and place as line 1",
            ),
        ],
    )
    def test_a_file_that_is_no_proposal(self, tmp_path, db, name, text, told):
        with pytest.raises(CommandError, match=told.replace("[", r"\[")):
            self.run(tmp_path, text, name=name)

    def test_json_with_tabs_is_json(self, tmp_path, send):
        text = '[\n\t{"scope": "global", "name": "require_stop", "value": "off"}\n]'
        assert "require_stop of global: off" in self.run(tmp_path, text, name="l.json")

    @pytest.mark.parametrize("options", [{"account": "nobody"}])
    def test_an_account_that_does_not_exist(self, tmp_path, db, options):
        with pytest.raises(CommandError, match="there is no account nobody"):
            self.run(tmp_path, "", **options)

    def test_a_file_that_is_not_there(self, tmp_path, db):
        with pytest.raises(CommandError, match="No such file"):
            call_command("replay_risk", days=1, limits=tmp_path / "none.yaml")
