"""POSITION_UNPROTECTED: no entry into a symbol whose position waits too long for its stop."""

from __future__ import annotations

from tests.unit.trading.situations import D, a_buy, a_snapshot, ago, an_exit, limits, verdict_of
from trading.domain.risk.types import Holding, RiskSnapshot

RULE = "position_protected"


def held(*, naked_for: float | None, is_dust: bool = False, **changes) -> RiskSnapshot:
    since = None if naked_for is None else ago(naked_for)
    holding = Holding(D("0.5"), D(48_000), is_dust=is_dust, naked_since=since)
    return a_snapshot(holding=holding, **changes)


def test_an_entry_into_a_naked_position_is_denied_with_how_long_and_what_to_do():
    got = verdict_of(RULE, a_buy(), held(naked_for=7.5))

    assert (got.code, got.limit, got.actual) == ("POSITION_UNPROTECTED", "3", "7.5")
    assert "wait until it is protected, or close it" in got.message


def test_an_add_on_right_after_a_fill_passes():
    assert verdict_of(RULE, a_buy(), held(naked_for=2.9)).passed


def test_the_grace_is_the_settings():
    snapshot = held(naked_for=7.5, limits=limits(protection_grace_seconds=D(10)))

    assert verdict_of(RULE, a_buy(), snapshot).passed


def test_an_entry_into_a_protected_position_passes():
    assert verdict_of(RULE, a_buy(), held(naked_for=None)).passed


def test_dust_needs_no_stop():
    assert verdict_of(RULE, a_buy(), held(naked_for=3600, is_dust=True)).passed


def test_an_exit_from_a_naked_position_is_always_allowed():
    got = verdict_of(RULE, an_exit(), held(naked_for=3600))

    assert got.passed
    assert got.skipped


def test_where_nothing_is_held_there_is_nothing_to_protect():
    holding = Holding(D(0), D(0), naked_since=ago(3600))

    assert verdict_of(RULE, a_buy(), a_snapshot(holding=holding)).passed
