from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.instruments import Range
from tests.unit.trading.situations import limits
from trading.domain import stops
from trading.domain.figures import Refusal

D = Decimal
CENT = Range(step=D("0.01"))


def planned(
    *, entry="100", bid=None, ask=None, stop=None, target=None, default_stop=None,
    default_target=None, atr=None, grid=CENT, **lim,
):  # fmt: skip
    return stops.plan_levels(
        entry=D(entry),
        stop_below=D(bid or entry),
        target_above=D(ask or entry),
        stop_asked=None if stop is None else D(stop),
        target_asked=None if target is None else D(target),
        use_default_stop=default_stop,
        use_default_target=default_target,
        atr=None if atr is None else D(atr),
        limits=limits(**lim),
        grid=grid,
    )


class TestWhereTheStopComesFrom:
    def test_the_signals_own_level_wins_over_everything(self):
        assert planned(stop="97", default_stop=True, atr="1").stop_loss == D(97)

    def test_asking_for_the_default_gives_the_percent(self):
        assert planned(default_stop=True, atr="1", require_stop=False).stop_loss == D(98)

    def test_atr_is_used_when_given(self):
        assert planned(atr="2").stop_loss == D(97)

    def test_a_required_stop_falls_back_to_the_percent(self):
        assert planned().stop_loss == D(98)

    def test_an_account_that_needs_none_gets_none(self):
        assert planned(require_stop=False).stop_loss is None

    def test_declining_the_default_also_declines_atr(self):
        assert planned(default_stop=False, atr="2", require_stop=False).stop_loss is None

    def test_declining_the_default_does_not_overrule_the_account(self):
        assert planned(default_stop=False).stop_loss == D(98)

    def test_the_arithmetic_is_on_record(self):
        assert dict(planned(atr="2").arithmetic)["stop"] == "100 - 1.5 x ATR 2 -> 97"


class TestWhereTheTargetComesFrom:
    def test_the_signals_own_level_wins(self):
        assert planned(target="120", default_target=True).take_profit == D(120)

    def test_asking_for_the_default_gives_the_percent(self):
        assert planned(default_target=True).take_profit == D(105)

    def test_atr_gives_a_target_unless_declined(self):
        assert planned(atr="2").take_profit == D("107.5")
        assert planned(atr="2", default_target=False).take_profit is None

    def test_a_target_is_optional(self):
        assert planned().take_profit is None


class TestWrongLevels:
    @pytest.mark.parametrize(
        ("wish", "code"),
        [
            ({"stop": "101"}, "STOP_WRONG_SIDE"),
            ({"stop": "100"}, "STOP_WRONG_SIDE"),
            ({"stop": "0"}, "STOP_INVALID"),
            ({"stop": "-5"}, "STOP_INVALID"),
            ({"target": "99"}, "TARGET_WRONG_SIDE"),
            ({"target": "100"}, "TARGET_WRONG_SIDE"),
            ({"target": "0"}, "TARGET_INVALID"),
            ({"atr": "0"}, "ATR_INVALID"),
            ({"atr": "80"}, "STOP_INVALID"),
            ({"stop": "99.5", "bid": "99"}, "STOP_WRONG_SIDE"),
            ({"target": "100.5", "ask": "101"}, "TARGET_WRONG_SIDE"),
        ],
    )
    def test_a_level_that_cannot_protect_is_refused_by_name(self, wish, code):
        got = planned(**wish)
        assert isinstance(got, Refusal)
        assert got.code == code

    def test_the_refusal_carries_both_numbers(self):
        got = planned(stop="101")
        assert (got.limit, got.actual) == ("below 100", "101")

    def test_a_grid_too_coarse_for_the_stop_refuses_rather_than_widens(self):
        assert planned(entry="3", grid=Range(step=D(1))).code == "STOP_WRONG_SIDE"


class TestGrid:
    def test_the_stop_goes_up_and_the_target_down(self):
        got = planned(stop="97.001", target="110.009")
        assert (got.stop_loss, got.take_profit) == (D("97.01"), D("110.00"))


@given(
    entry=st.decimals("1", "100000", places=4),
    distance=st.decimals("0.0001", "0.9999", places=4),
    tick=st.sampled_from([D("0.0001"), D("0.01"), D("0.5"), D(10)]),
)
def test_the_grid_never_makes_the_risk_larger_than_asked(entry, distance, tick):
    asked = entry * (1 - distance)
    got = planned(entry=str(entry), stop=str(asked), grid=Range(step=tick))
    if isinstance(got, Refusal):
        assert got.code == "STOP_WRONG_SIDE"
        return
    assert asked <= got.stop_loss < entry
    assert got.stop_loss % tick == 0
