"""What an assessment promises as a whole."""

import re
import time
from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from exchanges.domain.instruments import Range
from exchanges.domain.orders import OrderType, Side
from tests.unit.trading.situations import (
    a_buy,
    a_quote,
    a_snapshot,
    ago,
    an_exit,
    an_instrument,
    base,
    denial_of,
    limits,
    plan_of,
)
from trading.domain.intents import IntentKind, SizeMode, SizingIntent
from trading.domain.risk.assess import assess
from trading.domain.risk.rules import RULES
from trading.domain.risk.types import SizingModel, TrackRecord, TradingMode

D = Decimal


def test_an_ordinary_signal_becomes_a_plan_with_its_protection():
    plan = plan_of(a_buy(take_profit=D(55_000)))
    assert (plan.symbol, plan.side, plan.type) == ("BTCUSDT", Side.BUY, OrderType.MARKET)
    assert (plan.quantity, plan.reference_price) == (D("0.0032"), D(50_000))
    assert (plan.stop_loss, plan.take_profit) == (D(49_000), D(55_000))
    assert (plan.notional, plan.estimated_fee) == (D(160), D("0.16"))


@pytest.mark.parametrize("intent", [a_buy(), an_exit(), a_buy(confidence=D("0.1"))])
def test_every_rule_speaks_once_under_its_own_name(intent):
    verdicts = assess(intent, a_snapshot(held="0.01")).verdicts
    assert [v.rule for v in verdicts] == ["figures", *(rule.__name__ for rule in RULES)]


def test_a_no_does_not_silence_the_rules_after_it():
    got = assess(a_buy(confidence=D("0.1")), a_snapshot(free_quote=D(1), open_position_count=9))
    codes = [v.code for v in got.verdicts if not v.passed]
    assert codes[0] == "CONFIDENCE_BELOW_MIN"
    assert "OPEN_POSITIONS_AT_MAX" in codes


def test_the_first_no_is_the_denial():
    denial = denial_of(a_buy(emitted_at=ago(99)), a_snapshot(mode=TradingMode.HALTED))
    assert denial.code == "TRADING_HALTED"


def test_a_rule_that_could_not_be_asked_says_why():
    got = assess(a_buy(), a_snapshot(quote=None))
    unasked = [v for v in got.verdicts if v.skipped]
    assert unasked
    assert all(v.message.startswith("not evaluated: ") for v in unasked)


def test_numbers_of_a_passed_rule_are_on_record_too():
    for verdict in assess(
        a_buy(order_type=OrderType.LIMIT, price=D(49_000)), a_snapshot()
    ).verdicts:
        if verdict.rule not in ("trigger_side", "sender_gap"):
            assert verdict.limit, verdict.rule
            assert verdict.actual, verdict.rule


MISSING = [
    "mode",
    "instrument",
    "quote",
    "open_position_count",
    "free_quote",
    "balances_at",
    "stops_elsewhere",
]


@pytest.mark.parametrize("name", [*MISSING, "taker_rate"])
def test_whatever_is_missing_lets_no_entry_pass(name):
    snapshot = a_snapshot(**{name: None})
    for sizing in (SizingIntent(), base("0.01")):
        assert denial_of(a_buy(sizing=sizing), snapshot).code.endswith("_UNKNOWN")


WHEN_LIMITED = {  # looked up only when one of these is set
    "symbols_in_use": ["one_symbol_per_account"],
    "entries_in_position": ["max_entries_per_position"],
    "together": [
        "max_open_positions_total",
        "max_symbol_exposure",
        "max_gross_exposure",
        "max_net_exposure",
    ],
    "cooldown": ["cooldown_after_losses"],
    "falls": ["daily_loss_reduce_pct", "weekly_loss_flatten_pct", "drawdown_reduce_pct"],
    "book": ["max_slippage_bps"],
    "venue_latency_ms": ["max_venue_latency_ms"],
}


@pytest.mark.parametrize("limit", [one for some in WHEN_LIMITED.values() for one in some])
def test_whatever_a_set_limit_misses_lets_no_entry_pass(limit):
    snapshot = a_snapshot(limits=limits(**{limit: 1}), **dict.fromkeys(WHEN_LIMITED))
    assert denial_of(a_buy(sizing=base("0.01")), snapshot).code.endswith("_UNKNOWN")


WHEN_SIZED_BY = {  # asked for by these models only
    "equity": SizingModel.PERCENT_OF_EQUITY,
    "track_record": SizingModel.FRACTIONAL_KELLY,
}


@pytest.mark.parametrize("name", WHEN_SIZED_BY)
def test_whatever_a_sizing_model_misses_lets_no_entry_pass(name):
    known = {"equity": D(10_000), "track_record": TrackRecord(40, 22, 18, D(3), D(2))}
    sized_by = limits(sizing_model=WHEN_SIZED_BY[name])
    snapshot = a_snapshot(limits=sized_by, **{**known, name: None})
    assert denial_of(a_buy(), snapshot).code.endswith("_UNKNOWN")


def test_a_conditional_order_needs_to_know_of_places():
    snapshot = a_snapshot(free_slots=None)
    intent = a_buy(order_type=OrderType.STOP, stop_price=D(51_000))
    assert denial_of(intent, snapshot).code == "SLOTS_UNKNOWN"


def test_every_nullable_input_of_the_snapshot_is_in_the_lists_above():
    nullable = {f.name for f in fields(a_snapshot()) if "None" in str(f.type)}
    others = {"taker_rate", "free_base", "free_slots"}
    assert nullable == {*MISSING, *others, *WHEN_LIMITED, *WHEN_SIZED_BY}


def test_an_exit_goes_through_the_worst_of_days():
    snapshot = a_snapshot(
        held="0.5",
        mode=TradingMode.HALTED,
        quote=None,
        free_quote=None,
        balances_at=None,
        open_position_count=None,
        taker_rate=None,
        can_trade=False,
    )
    plan = plan_of(an_exit(emitted_at=ago(9999), confidence=D(0)), snapshot)
    assert (plan.side, plan.quantity) == (Side.SELL, D("0.5"))
    assert plan.reference_price is None


def test_an_exit_never_sells_more_than_is_held():
    intent = an_exit(IntentKind.REDUCE, sizing=base("7"))
    assert plan_of(intent, a_snapshot(held="0.5")).quantity == D("0.5")


def test_dust_that_the_venue_would_refuse_is_denied_before_anything_is_cancelled():
    assert denial_of(an_exit(), a_snapshot(held="0.00002")).code == "NOTIONAL_BELOW_MIN"


CODE = re.compile(r"[A-Z]+(_[A-Z]+)+")


@pytest.mark.parametrize(
    "snapshot",
    [a_snapshot(quote=None), a_snapshot(mode=None), a_snapshot(free_quote=D(1))],
)
def test_a_denial_reads_code_limit_actual(snapshot):
    denial = denial_of(a_buy(), snapshot)
    assert CODE.fullmatch(denial.code)
    assert denial.message.startswith(f"{denial.code}: limit={denial.limit} actual={denial.actual}")


FIGURES = st.decimals("0.001", "1000", places=6)
RATIOS = st.decimals("0.8", "1.25", places=3)
STEPS = st.sampled_from([D("0.000001"), D("0.001"), D("0.25"), D(0)])


@settings(max_examples=300)
@given(
    kind=st.sampled_from(list(IntentKind)),
    order_type=st.sampled_from(list(OrderType)),
    mode=st.sampled_from(list(SizeMode)),
    amount=FIGURES,
    price_to_bid=RATIOS,
    trigger_to_bid=RATIOS,
    bid=st.decimals("1", "100000", places=2),
    held=FIGURES,
    step=STEPS,
    market_step=STEPS,
    tick=STEPS,
    least=st.sampled_from([D(0), D(5), D(100)]),
)
def test_every_plan_passes_the_filters_and_asks_for_no_more_than_was_wished(
    kind,
    order_type,
    mode,
    amount,
    price_to_bid,
    trigger_to_bid,
    bid,
    held,
    step,
    market_step,
    tick,
    least,
):
    instrument = an_instrument(
        lot=Range(minimum=step, maximum=D(9000), step=step),
        market_lot=Range(maximum=D(100), step=market_step),
        price=Range(minimum=tick, maximum=D(1_000_000), step=tick),
        min_notional=least,
    )
    snapshot = a_snapshot(
        held=str(held),
        instrument=instrument,
        quote=a_quote(str(bid), str(bid * D("1.001"))),
        limits=limits(max_position_notional=D(0)),
        free_quote=D(10) ** 9,
    )
    intent = a_buy(
        kind=kind,
        order_type=order_type,
        price=bid * price_to_bid,
        stop_price=bid * trigger_to_bid,
        sizing=SizingIntent(mode, None if mode is SizeMode.DEFAULT else amount),
    )
    got = assess(intent, snapshot)
    assert got.approved is (got.denial is None)
    event("approved" if got.approved else got.denial.code if got.denial else "?")
    plan = got.plan
    if plan is None:
        return
    market = plan.type is OrderType.MARKET
    grids = [instrument.lot, instrument.market_lot] if market else [instrument.lot]
    for grid in grids:
        assert grid.contains(plan.quantity)
        assert grid.on_grid(plan.quantity)
    for figure in (plan.price, plan.stop_price, plan.stop_loss, plan.take_profit):
        assert figure is None or (
            instrument.price.contains(figure) and instrument.price.on_grid(figure)
        )
    assert plan.notional is not None
    assert plan.notional >= (least or D(10))
    if mode is SizeMode.BASE_QUANTITY and kind is not IntentKind.CLOSE:
        assert plan.quantity <= amount
    if plan.side is Side.SELL:
        assert plan.quantity <= held
        assert plan.stop_loss is None
    else:
        assert plan.stop_loss is not None
        assert plan.reference_price is not None
        assert plan.stop_loss < plan.reference_price


def test_an_assessment_takes_well_under_a_millisecond():
    intent, snapshot = a_buy(take_profit=D(55_000)), a_snapshot()
    rounds = []
    for _ in range(20):
        started = time.thread_time()  # what others do on this machine does not count
        for _ in range(20):
            assess(intent, snapshot)
        rounds.append((time.thread_time() - started) / 20)
    assert min(rounds) < 0.001
