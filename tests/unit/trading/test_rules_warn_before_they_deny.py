"""What passes close to its limit is marked, so that nobody is surprised by the next one."""

import pytest

from tests.unit.trading.situations import D, a_buy, a_quote, a_snapshot, an_exit, limits, verdict_of


@pytest.mark.parametrize(("ask", "warned"), [("50003.9", False), ("50004.1", True)])
def test_a_figure_that_grows_warns_from_its_share_of_the_limit_on(ask, warned):
    held = limits(warn_at_pct=D(80), max_spread_bps=D(10))
    snapshot = a_snapshot(limits=held, quote=a_quote("49964", ask))
    verdict = verdict_of("spread", a_buy(), snapshot)
    assert verdict.passed
    assert verdict.warned is warned


@pytest.mark.parametrize(("confidence", "warned"), [("0.63", False), ("0.62", True)])
def test_confidence_warns_close_above_its_least(confidence, warned):
    snapshot = a_snapshot(limits=limits(warn_at_pct=D(80)))
    assert verdict_of("confidence", a_buy(confidence=D(confidence)), snapshot).warned is warned


def test_what_denies_does_not_warn_as_well():
    held = limits(warn_at_pct=D(80), max_spread_bps=D(10))
    verdict = verdict_of("spread", a_buy(), a_snapshot(limits=held, quote=a_quote("49000")))
    assert not verdict.passed
    assert not verdict.warned


def test_zero_never_warns():
    held = limits(warn_at_pct=D(0), max_spread_bps=D(10))
    verdict = verdict_of("spread", a_buy(), a_snapshot(limits=held, quote=a_quote("49951")))
    assert not verdict.warned


def test_what_is_not_limited_does_not_warn():
    held = limits(warn_at_pct=D(80), max_spread_bps=D(0))
    verdict = verdict_of("spread", a_buy(), a_snapshot(limits=held, quote=a_quote("49000")))
    assert not verdict.warned


def test_an_exit_is_never_warned_of():
    snapshot = a_snapshot(held="0.5", limits=limits(warn_at_pct=D(1)))
    assert not verdict_of("spread", an_exit(), snapshot).warned
