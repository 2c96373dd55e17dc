"""A default level is a distance from the price paid; a named one is a price."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.instruments import Range
from exchanges.domain.orders import OrderType
from tests.unit.trading.situations import a_buy, a_quote, a_snapshot, limits, plan_of
from trading.domain.intents import SizeMode, SizingIntent
from trading.domain.levels import Bracket, Distance, EntryLevels, after_entry, without_own
from trading.domain.risk.types import SizingModel

D = Decimal
TICKS = st.sampled_from([D("0.00000001"), D("0.0001"), D("0.01"), D("0.5"), D(10)])
PRICES = st.decimals("0.5", "200000", places=8)
PERCENTS = st.decimals("0.01", "99", places=2).map(lambda pct: Distance(pct, is_percent=True))
AMOUNTS = st.decimals("0.0001", "5000", places=4).map(lambda gap: Distance(gap, is_percent=False))
MARKET = a_quote("49989", "49990")


def marketable(**changes):
    return a_buy(order_type=OrderType.LIMIT, price=D(51_000), **changes)


def planned(intent, **lim):
    return plan_of(intent, a_snapshot(quote=MARKET, limits=limits(**lim)))


def test_a_marketable_limit_is_planned_on_what_the_book_asks():
    assert planned(marketable()).stop_loss == D("48990.20")


def test_a_resting_limit_is_planned_on_its_limit():
    assert planned(a_buy(order_type=OrderType.LIMIT, price=D(49_000))).stop_loss == D(48_020)


def test_a_trigger_with_a_limit_is_planned_on_the_lower_of_the_two():
    intent = a_buy(order_type=OrderType.STOP_LIMIT, stop_price=D(50_500), price=D(51_000))
    assert planned(intent).stop_loss == D(49_490)


def test_a_named_level_carries_no_distance():
    plan = planned(marketable(stop_loss=D(49_000), take_profit=D(52_000)))
    assert (plan.stop_distance, plan.target_distance) == (None, None)
    assert plan.entry_levels.at(D(49_500), Range(step=D("0.01"))) == Bracket(D(49_000), D(52_000))


def test_percent_and_atr_are_both_distances():
    plan = planned(marketable(atr=D(100), use_default_take_profit=True))
    assert (str(plan.stop_distance), str(plan.target_distance)) == ("150.0", "5%")


def test_the_worst_loss_at_a_default_stop_counts_from_the_expected_fill():
    plan = planned(marketable())
    assert plan.entry_price == D(49_990)
    assert planned(marketable(stop_loss=D(49_000))).entry_price == D(51_000)


def test_risk_to_stop_is_sized_by_the_distance_that_will_hold():
    plan = plan_of(
        marketable(sizing=SizingIntent(SizeMode.DEFAULT)),
        a_snapshot(
            quote=MARKET,
            equity=D(100_000),
            free_quote=D(1_000_000),
            limits=limits(
                sizing_model=SizingModel.RISK_TO_STOP,
                risk_per_trade=D("0.001"),
                max_position_notional=D(0),
            ),
        ),
    )
    loss_of_one = D(49_990) - D("48990.20") + D("0.001") * (D(49_990) + D("48990.20"))
    assert plan.quantity == (100 / loss_of_one).quantize(D("0.00001"), rounding="ROUND_DOWN")


@given(distance=st.one_of(PERCENTS, AMOUNTS))
def test_a_distance_is_read_as_it_was_written(distance):
    assert Distance.read(str(distance)) == distance


def test_no_text_is_no_distance():
    assert Distance.read("") is None


@given(paid=PRICES, distance=st.one_of(PERCENTS, AMOUNTS), tick=TICKS)
def test_the_stop_lies_below_the_fill_by_its_distance_within_a_tick(paid, distance, tick):
    planned_at = D("0.00000001")
    stop = EntryLevels(stop=planned_at, stop_distance=distance).at(paid, Range(step=tick)).stop
    level = paid - distance.of(paid)
    if level - tick < 0 and stop == planned_at:
        return  # there is no such price on this grid: the planned one stays
    assert stop < paid
    assert abs(stop - level) < tick
    assert stop % tick == 0


@given(paid=PRICES, distance=st.one_of(PERCENTS, AMOUNTS), tick=TICKS)
def test_the_target_lies_above_the_fill_by_its_distance_within_a_tick(paid, distance, tick):
    got = EntryLevels(target=D(1), target_distance=distance).at(paid, Range(step=tick))
    assert got.target > paid
    assert abs(got.target - paid - distance.of(paid)) < tick


@given(
    held=st.one_of(st.none(), PRICES),
    own=st.one_of(st.none(), PRICES),
    paid=PRICES,
)
def test_an_entry_never_takes_a_stop_away(held, own, paid):
    after = after_entry(Bracket(stop=held), Bracket(stop=own), paid=paid).stop
    assert (after is None) == (held is None and own is None)
    if held is not None and held < paid:
        assert after >= held


def test_an_entrys_own_earlier_level_does_not_hold_it_up():
    kept = without_own(D(49_000), was=D(49_000), now=D(48_500), others=[D(48_800), D(48_000)])
    assert kept == D(48_800)


def test_a_stop_of_another_entry_holds_whatever_this_one_does():
    assert without_own(D(49_500), was=D(49_000), now=D(48_500), others=[]) == D(49_500)
