"""Sizes by equity, by the loss at the stop and by the strategy's past; none is ever rounded up."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.trading.situations import (
    BTC,
    a_buy,
    a_quote,
    a_snapshot,
    base,
    denial_of,
    limits,
    plan_of,
    quote_amount,
)
from trading.domain import sizing
from trading.domain.figures import Refusal
from trading.domain.intents import SizingIntent
from trading.domain.risk.assess import assess
from trading.domain.risk.types import SizingModel, TrackRecord

D = Decimal
GOOD = TrackRecord(40, 22, 18, D("0.03"), D("0.02"))


def sized(model, wish=None, *, price="50000", confidence="0.8", means=None, **lim):
    return sizing.size_entry(
        wish or SizingIntent(),
        confidence=D(confidence),
        price=D(price),
        limits=limits(sizing_model=model, max_position_notional=D(0), **lim),
        means=means or sizing.Means(),
        max_quantity=D(0),
        committed_quantity=D(0),
    )


def means(*, equity="10000", stop="49000", rate="0.001", record=GOOD):
    return sizing.Means(
        equity=None if equity is None else D(equity),
        stop_loss=None if stop is None else D(stop),
        fee_rate=None if rate is None else D(rate),
        track_record=record,
    )


class TestFixedBase:
    def test_it_takes_the_quantity_that_is_set(self):
        got = sized(SizingModel.FIXED_BASE, default_base_quantity=D("0.25"))
        assert got.quantity == D("0.25")

    def test_nothing_set_is_denied_and_says_what_to_set(self):
        got = sized(SizingModel.FIXED_BASE)
        assert got.code == "SIZE_NOT_SET"
        assert "default_base_quantity" in got.detail


class TestPercentOfEquity:
    def test_it_is_two_percent_of_the_equity_by_confidence(self):
        got = sized(SizingModel.PERCENT_OF_EQUITY, means=means())
        assert got.quantity == D("0.0032")

    def test_the_arithmetic_reads_like_the_formula(self):
        got = sized(SizingModel.PERCENT_OF_EQUITY, means=means())
        assert dict(got.arithmetic)["percent of equity"] == (
            "10000 equity x 0.02 of equity x 0.8 confidence / 50000"
        )


class TestRiskToStop:
    def test_the_worked_example_of_the_page(self):
        got = sized(SizingModel.RISK_TO_STOP, means=means())
        assert got.quantity.quantize(D("0.00001")) == D("0.18198")
        assert got.quantity * D(1099) <= 200

    def test_confidence_plays_no_part(self):
        sure, unsure = (
            sized(SizingModel.RISK_TO_STOP, confidence=c, means=means()) for c in ("1", "0.1")
        )
        assert sure.quantity == unsure.quantity

    @pytest.mark.parametrize("stop", ["50000", "50001"])
    def test_a_stop_at_or_above_the_entry_is_refused(self, stop):
        assert sized(SizingModel.RISK_TO_STOP, means=means(stop=stop)).code == "STOP_WRONG_SIDE"

    def test_without_a_stop_there_is_no_size(self):
        assert sized(SizingModel.RISK_TO_STOP, means=means(stop=None)).code == "SIZE_STOP_MISSING"

    def test_without_a_fee_rate_there_is_no_size(self):
        assert sized(SizingModel.RISK_TO_STOP, means=means(rate=None)).code == "FEE_RATE_UNKNOWN"

    def test_a_risk_of_nothing_is_no_size_and_no_missing_cap(self):
        for wish in (None, base("1")):
            got = sized(SizingModel.RISK_TO_STOP, wish, means=means(), risk_per_trade=D(0))
            assert got.code == "SIZE_NOT_SET"

    def test_a_size_of_the_signal_is_capped_by_the_same_risk(self):
        got = sized(SizingModel.RISK_TO_STOP, base("1"), means=means())
        assert got.quantity == sized(SizingModel.RISK_TO_STOP, means=means()).quantity
        assert got.arithmetic[-1][0] == "cap: risk 0.02 of equity to the stop"

    def test_a_smaller_size_of_the_signal_is_left_alone(self):
        assert sized(SizingModel.RISK_TO_STOP, base("0.01"), means=means()).quantity == D("0.01")


class TestFractionalKelly:
    def test_the_worked_example_of_the_page(self):
        got = sized(SizingModel.FRACTIONAL_KELLY, means=means())
        assert got.quantity * 50_000 == 625
        assert dict(got.arithmetic)["full Kelly"] == "0.55 - 0.45 / 1.5 = 0.25"

    def test_the_cap_holds_however_good_the_past(self):
        best = TrackRecord(100, 99, 1, D("0.5"), D("0.01"))
        got = sized(SizingModel.FRACTIONAL_KELLY, means=means(record=best))
        assert got.quantity * 50_000 == 1000

    def test_too_few_trades_are_denied_with_the_way_out(self):
        got = sized(SizingModel.FRACTIONAL_KELLY, means=means(record=replace(GOOD, trades=29)))
        assert (got.code, got.limit, got.actual) == ("KELLY_SAMPLE_TOO_SMALL", "30", "29")
        assert "another sizing model" in got.detail

    def test_a_past_nobody_looked_up_is_denied(self):
        got = sized(SizingModel.FRACTIONAL_KELLY, means=means(record=None))
        assert got.code == "KELLY_SAMPLE_UNKNOWN"

    @pytest.mark.parametrize(
        "record",
        [
            TrackRecord(40, 16, 24, D("0.03"), D("0.02")),  # an edge of exactly nothing
            TrackRecord(40, 10, 30, D("0.03"), D("0.02")),
            TrackRecord(40, 0, 40, D(0), D("0.02")),
            TrackRecord(40, 0, 0, D(0), D(0)),
        ],
    )
    def test_without_an_edge_there_is_no_entry(self, record):
        got = sized(SizingModel.FRACTIONAL_KELLY, means=means(record=record))
        assert got.code == "KELLY_NO_EDGE"

    def test_a_past_without_a_loss_tells_no_payoff(self):
        record = TrackRecord(40, 40, 0, D("0.03"), D(0))
        got = sized(SizingModel.FRACTIONAL_KELLY, means=means(record=record))
        assert got.code == "KELLY_PAYOFF_UNKNOWN"


@pytest.mark.parametrize(
    "model",
    [SizingModel.PERCENT_OF_EQUITY, SizingModel.RISK_TO_STOP, SizingModel.FRACTIONAL_KELLY],
)
class TestEquity:
    def test_unknown_it_allows_nothing(self, model):
        assert sized(model, means=means(equity=None)).code == "SIZE_EQUITY_UNKNOWN"

    @pytest.mark.parametrize("equity", ["0", "-5"])
    def test_gone_it_allows_nothing(self, equity, model):
        assert sized(model, means=means(equity=equity)).code == "SIZE_EQUITY_GONE"


class TestThroughTheRules:
    def by_risk(self, **changes):
        by_risk = limits(sizing_model=SizingModel.RISK_TO_STOP, max_position_notional=D(0))
        return a_snapshot(limits=by_risk, equity=D(10_000), **changes)

    def test_the_stop_is_known_when_the_size_is_worked_out(self):
        plan = plan_of(a_buy(stop_loss=D(49_000)), self.by_risk())
        assert plan.quantity == D("0.18198")

    def test_the_default_stop_sizes_too(self):
        plan = plan_of(a_buy(), self.by_risk())
        assert plan.stop_loss == D(49_000)

    def test_a_stop_that_is_refused_is_the_denial_and_no_size_is_guessed(self):
        got = assess(a_buy(stop_loss=D(60_000)), self.by_risk())
        assert got.denial is not None
        assert got.denial.code == "STOP_WRONG_SIDE"
        assert got.sketch is None

    def test_what_the_risk_leaves_below_the_least_of_the_venue_is_denied(self):
        assert denial_of(
            a_buy(stop_loss=D(49_000)), replace(self.by_risk(), equity=D("0.1"))
        ).code in ("QUANTITY_BELOW_MIN", "NOTIONAL_BELOW_MIN")

    def test_an_entry_without_a_stop_has_no_risk_to_be_sized_by(self):
        snapshot = self.by_risk()
        free = replace(snapshot, limits=replace(snapshot.limits, require_stop=False))
        assert denial_of(a_buy(use_default_stop_loss=False), free).code == "SIZE_STOP_MISSING"

    def test_a_denied_entry_still_shows_what_it_would_have_been(self):
        got = assess(a_buy(confidence=D("0.1"), stop_loss=D(49_000)), self.by_risk())
        assert got.plan is None
        assert got.sketch is not None
        assert got.sketch.quantity == D("0.18198")


MONEY = st.decimals("0.01", "1000000", places=2)


@given(
    equity=MONEY,
    bid=st.decimals("1", "99999", places=2),
    distance=st.decimals("0.01", "90000", places=2),
    rate=st.decimals("0", "0.02", places=5),
    risk=st.decimals("0", "1", places=4),
    wish=st.one_of(
        st.none(),
        st.decimals("0.00001", "1000", places=5).map(base),
        st.decimals("1", "1000000", places=2).map(quote_amount),
    ),
)
def test_the_loss_at_the_stop_with_fees_never_exceeds_the_risk(
    equity, bid, distance, rate, risk, wish
):
    assume(distance < bid)
    lim = limits(
        sizing_model=SizingModel.RISK_TO_STOP,
        risk_per_trade=risk,
        max_position_notional=D(0),
        max_spread_bps=D(0),
    )
    snapshot = a_snapshot(
        limits=lim,
        equity=equity,
        free_quote=D(10**9),
        taker_rate=rate,
        quote=a_quote(str(bid), str(bid + D("0.01"))),
    )
    intent = a_buy(stop_loss=bid - distance, **({"sizing": wish} if wish else {}))
    got = assess(intent, snapshot)
    if got.sketch is not None:
        quantity, entry, stop = (
            got.sketch.quantity,
            got.sketch.reference_price,
            got.sketch.stop_loss,
        )
        assert entry is not None
        assert stop is not None
        paid, back = quantity * entry, quantity * stop
        assert paid * (1 + rate) - back * (1 - rate) <= equity * risk
        assert BTC.lot.on_grid(quantity)


@given(
    model=st.sampled_from(list(SizingModel)),
    equity=st.one_of(st.none(), st.decimals("-10", "1000000", places=2)),
    stop=st.one_of(st.none(), st.decimals("-10", "60000", places=2)),
    rate=st.one_of(st.none(), st.decimals("0", "0.02", places=4)),
    wins=st.integers(0, 60),
    losses=st.integers(0, 60),
    even=st.integers(0, 5),
    average=st.tuples(*[st.decimals("0.0001", "1", places=4)] * 2),
    share=st.decimals("0", "1", places=3),
)
def test_no_model_sizes_beyond_its_own_words(
    model, equity, stop, rate, wins, losses, even, average, share
):
    record = TrackRecord(
        wins + losses + even,
        wins,
        losses,
        average[0] if wins else D(0),
        average[1] if losses else D(0),
    )
    asked = sizing.Means(
        available_quote=equity, equity=equity, stop_loss=stop, fee_rate=rate, track_record=record
    )
    got = sized(
        model,
        confidence="1",
        means=asked,
        position_pct=share,
        risk_per_trade=share,
        kelly_cap=share,
        default_base_quantity=D(3),
    )
    if isinstance(got, Refusal):
        return
    if model is SizingModel.FIXED_BASE:
        assert got.quantity == 3
    elif model is SizingModel.FIXED_QUOTE:
        assert got.quantity * 50_000 <= 100
    elif model is SizingModel.RISK_TO_STOP:
        assert stop < 50_000
        assert got.quantity * sizing.loss_at_stop(D(50_000), stop, rate) <= equity * share
    else:
        assert got.quantity * 50_000 <= equity * share
