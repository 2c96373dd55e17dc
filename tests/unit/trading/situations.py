"""An ordinary moment on the desk; every test changes the one thing it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import OrderType, Quote
from tests.fakes.instruments import spot_instrument
from trading.domain.intents import IntentKind, SizeMode, SizingIntent, TradeIntent
from trading.domain.risk.assess import assess
from trading.domain.risk.types import (
    Holding,
    Limits,
    OrderPlan,
    RiskSnapshot,
    SizingModel,
    TradingMode,
    Verdict,
)

D = Decimal
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BTC = spot_instrument("BTCUSDT")


def ago(seconds) -> datetime:
    return NOW - timedelta(seconds=seconds)


def an_instrument(**changes) -> Instrument:
    return replace(BTC, **changes)


def a_quote(bid="49999", ask="50000", *, age=0) -> Quote:
    return Quote("BTCUSDT", D(bid), D(1), D(ask), D(1), received_at=ago(age))


def limits(**changes) -> Limits:
    ordinary = Limits(
        min_confidence=D("0.5"),
        max_age_seconds=60,
        quote_max_age_seconds=D(2),
        balance_max_age_seconds=D(120),
        max_open_positions=5,
        max_position_notional=D(10_000),
        sizing_model=SizingModel.PERCENT_OF_BALANCE,
        position_pct=D("0.02"),
        default_quote_amount=D(100),
        default_order_type=OrderType.MARKET,
        require_stop=True,
        stop_loss_pct=D(2),
        take_profit_pct=D(5),
    )
    return replace(ordinary, **changes)


def a_snapshot(*, held="0", **changes) -> RiskSnapshot:
    ordinary = RiskSnapshot(
        now=NOW,
        environment="simulator",
        mode=TradingMode.ACTIVE,
        mode_reason="",
        instrument=BTC,
        quote=a_quote(),
        limits=limits(),
        holding=Holding(quantity=D(held), average_entry_price=D(48_000)),
        open_position_count=0,
        free_quote=D(10_000),
        free_base=D(0),
        balances_at=ago(1),
        taker_rate=D("0.001"),
        stops_elsewhere=0,
        free_slots=5,
    )
    return replace(ordinary, **changes)


def a_buy(**changes) -> TradeIntent:
    ordinary = TradeIntent(
        intent_uid="uid-1",
        kind=IntentKind.OPEN_LONG,
        strategy_id="momentum_v1",
        symbol="BTCUSDT",
        confidence=D("0.8"),
        emitted_at=ago(1),
    )
    return replace(ordinary, **changes)


def an_exit(kind=IntentKind.CLOSE, **changes) -> TradeIntent:
    return replace(a_buy(kind=kind), **changes)


def base(amount) -> SizingIntent:
    return SizingIntent(SizeMode.BASE_QUANTITY, D(amount))


def quote_amount(amount) -> SizingIntent:
    return SizingIntent(SizeMode.QUOTE_AMOUNT, D(amount))


def verdict_of(rule, intent=None, snapshot=None):
    """Assess and return the one rule's verdict."""
    assessment = assess(intent or a_buy(), snapshot or a_snapshot())
    return next(v for v in assessment.verdicts if v.rule == rule)


def plan_of(intent, snapshot=None) -> OrderPlan:
    assessment = assess(intent, snapshot or a_snapshot())
    assert assessment.plan is not None, assessment.denial
    return assessment.plan


def denial_of(intent, snapshot=None) -> Verdict:
    denial = assess(intent, snapshot or a_snapshot()).denial
    assert denial is not None
    return denial
