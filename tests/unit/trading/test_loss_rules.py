"""Pauses after losses, and losses of a day, a week and from the best."""

from datetime import timedelta

import pytest

from tests.unit.trading.situations import NOW, D, a_buy, a_snapshot, an_exit, limits, verdict_of
from trading.domain.equity import Falls
from trading.domain.risk.types import Cooldown


def cooling(seconds, losses=3):
    return Cooldown(losses, NOW + timedelta(seconds=seconds), "account spot-1")


class TestCooldown:
    def verdict(self, cooldown, intent=None, **changes):
        changes = {"cooldown_after_losses": 3} | changes
        return verdict_of(
            "cooldown", intent, a_snapshot(limits=limits(**changes), cooldown=cooldown)
        )

    def test_it_denies_until_the_pause_is_over(self):
        verdict = self.verdict(cooling(120))
        assert verdict.code == "COOLDOWN_AFTER_LOSSES"
        assert "limit=3 actual=3" in verdict.message
        assert "another 120 s" in verdict.message

    def test_it_passes_once_the_pause_is_over(self):
        assert self.verdict(cooling(0)).passed

    def test_it_passes_before_there_were_enough_losses(self):
        assert self.verdict(Cooldown(2, None, "account spot-1")).passed

    def test_what_is_not_known_denies(self):
        assert self.verdict(None).code == "COOLDOWN_UNKNOWN"

    def test_a_limit_of_zero_asks_nothing(self):
        assert self.verdict(cooling(120), cooldown_after_losses=0).passed

    def test_an_exit_is_not_asked(self):
        assert self.verdict(cooling(120), an_exit()).skipped


LOSSES = [
    ("daily_loss", "daily", "DAILY_LOSS"),
    ("weekly_loss", "weekly", "WEEKLY_LOSS"),
    ("drawdown", "drawdown", "DRAWDOWN"),
]


@pytest.mark.parametrize(("rule", "which", "category"), LOSSES)
class TestLosses:
    def verdict(self, rule, fall, intent=None, *, warn="2", reduce="3", flatten="0"):
        steps = {"warn": D(warn), "reduce": D(reduce), "flatten": D(flatten)}
        held = limits(**{f"{rule}_{step}_pct": at for step, at in steps.items()})
        return verdict_of(rule, intent, a_snapshot(limits=held, falls=fall, equity=D(10_000)))

    def fall(self, which, percent):
        return Falls(**({"daily": D(0), "weekly": D(0), "drawdown": D(0)} | {which: D(percent)}))

    def test_it_denies_at_the_reduce_step(self, rule, which, category):
        verdict = self.verdict(rule, self.fall(which, "3"))
        assert verdict.message == f"{category}_AT_MAX: limit=3 actual=3.00".replace("3.00", "3")

    def test_it_warns_between_the_steps(self, rule, which, category):
        verdict = self.verdict(rule, self.fall(which, "2.5"))
        assert verdict.passed
        assert verdict.warned

    def test_it_says_nothing_below_them(self, rule, which, category):
        verdict = self.verdict(rule, self.fall(which, "1.99"))
        assert verdict.passed
        assert not verdict.warned

    def test_the_flatten_step_alone_denies_too(self, rule, which, category):
        verdict = self.verdict(rule, self.fall(which, "5"), reduce="0", flatten="5")
        assert verdict.code == f"{category}_AT_MAX"

    def test_a_shown_loss_is_never_rounded_down_to_below_its_limit(self, rule, which, category):
        verdict = self.verdict(rule, self.fall(which, "3.001"))
        assert verdict.actual == "3.01"

    def test_an_unknown_loss_denies(self, rule, which, category):
        assert self.verdict(rule, None).code == f"{category}_UNKNOWN"

    def test_an_unknown_loss_passes_where_nothing_is_limited(self, rule, which, category):
        assert self.verdict(rule, None, reduce="0").passed

    def test_an_exit_is_not_asked(self, rule, which, category):
        assert self.verdict(rule, self.fall(which, "99"), an_exit()).skipped


def test_other_losses_do_not_count():
    falls = Falls(daily=D(50), weekly=D(0), drawdown=D(0))
    snapshot = a_snapshot(limits=limits(weekly_loss_reduce_pct=D(6)), falls=falls)
    assert verdict_of("weekly_loss", a_buy(), snapshot).passed
