"""What holds when several places set a limit, and which way safety lies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.risk.limit_book import (
    BY_NAME,
    LIMITS,
    LimitInvalid,
    Scope,
    Setting,
    Stricter,
    resolve,
    word,
)
from trading.domain.risk.types import Limits

D = Decimal
FIRST = {
    spec.name: spec.parse("on" if spec.stricter is Stricter.ON else max(spec.low, D("0.5")))
    if spec.kind != "whole number"
    else 5
    for spec in LIMITS
}
PLACES = {Scope.ACCOUNT: "desk", Scope.STRATEGY: "skew", Scope.SYMBOL: "BTCUSDT"}


def at(scope: str, value: str, *, name="max_open_positions", key=None, version=1) -> Setting:
    named = PLACES.get(Scope(scope), "") if key is None else key
    return Setting(scope, named, name, value, version)


def holds(*settings: Setting, name="max_open_positions"):
    found = resolve(
        settings, first_values=FIRST, account="desk", strategy_id="skew", symbol="BTCUSDT"
    )
    return found[name]


class TestWhichHolds:
    def test_nobody_set_it(self):
        held = holds()
        assert (held.value, held.source, held.version) == (5, "first value", 0)

    @pytest.mark.parametrize(
        ("scopes", "winner"),
        [
            (("global",), "global"),
            (("global", "account"), "account"),
            (("global", "account", "strategy"), "strategy"),
            (("global", "account", "strategy", "symbol"), "symbol"),
        ],
    )
    def test_the_most_specific_place_wins(self, scopes, winner):
        held = holds(*(at(scope, str(10 + n)) for n, scope in enumerate(scopes)))
        assert held.value == 10 + len(scopes) - 1
        assert held.source.split()[0] == winner

    def test_another_account_strategy_or_symbol_is_no_matter(self):
        others = (at(scope, "99", key="other") for scope in PLACES)
        assert holds(*others).value == 5

    def test_a_hard_cap_bounds_every_place(self):
        held = holds(at("cap", "4", version=7), at("symbol", "9", version=8))
        assert (held.value, held.is_capped, held.version) == (4, True, 7)
        assert held.source == "hard cap over symbol BTCUSDT"

    def test_a_hard_cap_leaves_stricter_values_alone(self):
        held = holds(at("cap", "4"), at("account", "2"))
        assert (held.value, held.is_capped) == (2, False)

    def test_a_hard_cap_bounds_the_first_value_too(self):
        assert holds(at("cap", "4")).value == 4

    def test_no_limit_is_looser_than_any_cap(self):
        name = "max_position_notional"
        held = holds(at("cap", "5000", name=name), at("account", "0", name=name), name=name)
        assert held.value == 5000

    def test_where_higher_is_safer_the_cap_lifts(self):
        name = "min_confidence"
        held = holds(at("cap", "0.6", name=name), at("account", "0.2", name=name), name=name)
        assert held.value == D("0.6")

    def test_a_cap_on_a_switch_keeps_it_on(self):
        name = "require_stop"
        held = holds(at("cap", "on", name=name), at("symbol", "off", name=name), name=name)
        assert held.value is True

    def test_every_limit_is_told_and_known_to_the_rules(self):
        found = resolve([], first_values=FIRST, account="a", strategy_id="s", symbol="X")
        assert set(found) == set(BY_NAME) <= set(Limits.__dataclass_fields__)


class TestValues:
    @pytest.mark.parametrize(
        ("name", "given_value"),
        [
            ("min_confidence", "1.2"),
            ("min_confidence", "-0.1"),
            ("min_confidence", "NaN"),
            ("min_confidence", "sure"),
            ("min_confidence", 0.5),
            ("max_open_positions", "2.5"),
            ("max_open_positions", True),
            ("stop_loss_pct", "0"),
            ("stop_loss_pct", "Infinity"),
            ("require_stop", "maybe"),
        ],
    )
    def test_nonsense_is_refused_by_name(self, name, given_value):
        with pytest.raises(LimitInvalid, match=name):
            BY_NAME[name].parse(given_value)

    @pytest.mark.parametrize("spec", LIMITS, ids=lambda spec: spec.name)
    def test_what_is_stored_reads_back_the_same(self, spec):
        value = FIRST[spec.name]
        assert spec.parse(word(value)) == value


figures = st.decimals(0, 10**6, places=2)


class TestSaferAndLooser:
    @given(figures, figures)
    def test_of_two_values_at_most_one_is_looser(self, one, other):
        for spec in LIMITS:
            if spec.kind != "number" or spec.stricter is Stricter.NEITHER:
                continue
            assert not (spec.is_looser(one, other) and spec.is_looser(other, one))
            assert spec.is_looser(one, other) or spec.is_looser(other, one) or one == other

    @given(figures, figures)
    def test_a_capped_value_is_never_looser_than_its_cap(self, value, cap):
        for name in ("max_position_notional", "position_pct", "min_confidence"):
            spec = BY_NAME[name]
            assert not spec.is_looser(spec.strictest(value, cap), cap)

    def test_any_change_of_what_is_neither_safer_nor_riskier_wants_care(self):
        spec = BY_NAME["stop_loss_pct"]
        assert spec.is_looser(D(3), D(2))
        assert spec.is_looser(D(2), D(3))
        assert not spec.is_looser(D(2), D(2))
