"""From what somebody asks for to a backtest that can be run: every fault by its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from exchanges.domain import venues
from exchanges.domain.candles import Candles, UnknownInterval, length_ms
from exchanges.domain.orders import OrderType
from exchanges.domain.venues import Environment
from exchanges.history import store
from exchanges.models import InstrumentRow
from exchanges.venues.simulator.instruments import listings
from signals_app.backtest.setup import Costs, Setup, SetupInvalid
from signals_app.payload import fields
from signals_app.payload.draft import PayloadError
from signals_app.strategies import catalogue, realtime, technical
from signals_app.strategies.spec import Kind, ParamInvalid, StrategySpec
from signals_app.strategies.technical.base import TechnicalStrategy
from trading.domain.risk import limit_book
from trading.domain.risk.limit_book import Setting
from trading.domain.risk.types import Limits, SizingModel
from trading.services.control import limits as limits_service

MOST_CANDLES = 3_000_000
ACCOUNT = "backtest"


@dataclass(frozen=True, slots=True)
class Wish:
    """A backtest as it is asked for: text and numbers, JSON-ready. `start` and `end` are UTC, as
    2025-01-31 or 2025-01-31T12:00; empty: all there is. `limits` are entries of a proposal."""

    strategy_id: str
    symbol: str
    interval: str
    start: str = ""
    end: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    cash: str = "10000"
    fee_bps: str = "10"
    spread_bps: str = "1"
    slippage_bps: str = "0"
    depth_per_bps: str = "0"
    latency_ms: int = 100
    sizing_model: str = SizingModel.PERCENT_OF_BALANCE.value
    limits: Sequence[Mapping[str, str]] = ()
    environment: str = field(default_factory=lambda: str(settings.VENUE_ENVIRONMENT))

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "params": dict(self.params), "limits": list(self.limits)}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a wish comes to."""

    wish: Wish
    strategy: TechnicalStrategy
    setup: Setup
    start_ms: int | None
    end_ms: int | None


def plan(wish: Wish) -> Plan:
    """Return what to run over candles. Raise ValidationError naming the fields at fault."""
    faults: dict[str, str] = {}
    strategy = _strategy(wish, faults)
    try:
        length_ms(wish.interval)
    except UnknownInterval as error:
        faults["interval"] = str(error)
    start, end = _moment("start", wish.start, faults), _moment("end", wish.end, faults)
    if start is not None and end is not None and start >= end:
        faults["end"] = "is not after the start"
    setup = _setup(wish, strategy.spec if strategy else None, faults)
    assert strategy is not None
    return Plan(wish, strategy, setup, start, end)


def stream_plan(wish: Wish) -> tuple[realtime.RealtimeStrategy, Setup]:
    """Return what to run over a recorded stream. Raise ValidationError naming the fields."""
    faults: dict[str, str] = {}
    spec = catalogue.BY_ID.get(wish.strategy_id)
    if spec is None or spec.kind is not Kind.REALTIME:
        known = ", ".join(one.strategy_id for one in catalogue.of_kind(Kind.REALTIME))
        faults["strategy"] = f"{wish.strategy_id!r} is none of our strategies on streams: {known}"
        spec = None
    setup = _setup(replace(wish, interval=""), spec, faults)
    assert spec is not None
    return realtime.made(spec, setup.params), setup


def _setup(wish: Wish, spec: StrategySpec | None, faults: dict[str, str]) -> Setup:
    symbol = _symbol(wish, faults)
    params = _params(spec, wish, faults) if spec else {}
    costs, cash = _costs(wish, faults), _number("cash", wish.cash, faults)
    limits = _limits(wish, faults)
    if wish.environment in list(Environment):
        entry = _entry(wish, symbol, faults)
    else:
        entry = {}
        faults["environment"] = f"choose one of {', '.join(Environment)}"
    if faults or limits is None or costs is None:
        raise ValidationError(faults)
    try:
        return Setup(
            strategy_id=wish.strategy_id,
            symbol=symbol,
            entry=entry,
            limits=limits,
            params=params,
            cash=cash,
            costs=costs,
            interval=wish.interval,
        )
    except SetupInvalid as error:
        raise ValidationError({error.name: error.message}) from None


def candles_of(found: Plan) -> Candles:
    """Load the candles of a plan from the history. Raise ValidationError when there are too few."""
    loaded = _load(found, MOST_CANDLES + 1)
    if len(loaded) > MOST_CANDLES:
        raise ValidationError(
            {"start": f"more than {MOST_CANDLES:,} candles: take a shorter time or longer candles"}
        )
    return loaded


def check_stored(found: Plan) -> None:
    """Raise ValidationError when the history has nothing to run on."""
    _load(found, 2)


def _load(found: Plan, most: int) -> Candles:
    wish = found.wish
    loaded = store.load(
        venue=venues.venue(wish.environment),
        symbol=found.setup.symbol,
        interval=wish.interval,
        start_ms=found.start_ms,
        end_ms=found.end_ms,
        last=most,
    )
    if len(loaded) < 2:
        raise ValidationError(
            {
                "start": f"{len(loaded)} {wish.interval} candles of {found.setup.symbol} are stored"
                f" of {wish.environment} in that time: fetch its history first, or choose another"
                " time, symbol or environment"
            }
        )
    return loaded


def within(found: Plan, candles: Candles) -> Candles:
    """Cut candles to the time of a plan."""
    first, last = 0, len(candles)
    if found.start_ms is not None:
        first = int(candles.opened_ms.searchsorted(found.start_ms))
    if found.end_ms is not None:
        last = int(candles.opened_ms.searchsorted(found.end_ms))
    return candles.slice(first, last)


def runnable() -> list[StrategySpec]:
    """Return the strategies that can be run over candles, in the catalogue's order."""
    return [spec for spec in catalogue.SPECS if spec.kind is Kind.TECHNICAL]


def limits_from(entries: Sequence[Mapping[str, Any]], *, strategy_id: str, symbol: str,
                sizing_model: str) -> Limits:  # fmt: skip
    """Put the shipped first values, and a proposal over them, into the words of the rules."""
    chosen = [
        Setting(e.get("scope", "global"), e.get("key") or "", e["name"], str(e["value"]), 0)
        for e in entries
        if e.get("value") is not None
    ]
    held = limit_book.resolve(
        chosen,
        first_values=limits_service.first_values(),
        account=ACCOUNT,
        strategy_id=strategy_id,
        symbol=symbol,
    )
    if bad := [name for name, one in held.items() if not one.is_readable]:
        raise limit_book.LimitInvalid(f"{bad[0]}: its value cannot be read")
    return Limits(
        max_age_seconds=settings.SIGNAL_MAX_AGE_SECONDS,
        quote_max_age_seconds=Decimal(str(settings.QUOTE_MAX_AGE_SECONDS)),
        balance_max_age_seconds=Decimal(str(settings.BALANCE_MAX_AGE_SECONDS)),
        sizing_model=SizingModel(sizing_model),
        default_order_type=OrderType.MARKET,
        **{name: one.value for name, one in held.items()},  # type: ignore[arg-type]
    )


# ---- fields ----------------------------------------------------------------------------------


def _strategy(wish: Wish, faults: dict[str, str]) -> TechnicalStrategy | None:
    found = technical.BY_ID.get(wish.strategy_id)
    if found is not None:
        return found
    known = ", ".join(technical.BY_ID) or "none yet"
    if wish.strategy_id in catalogue.BY_ID:
        faults["strategy"] = (
            f"{wish.strategy_id} works on streams: run it over a recorded one"
            " (run_backtest --stream FILE)"
        )
    else:
        faults["strategy"] = f"{wish.strategy_id!r} is none of our strategies on candles: {known}"
    return None


def _symbol(wish: Wish, faults: dict[str, str]) -> str:
    try:
        return fields.symbol("symbol", wish.symbol)
    except PayloadError as error:
        faults["symbol"] = error.message
        return ""


def _moment(name: str, text: str, faults: dict[str, str]) -> int | None:
    if not text:
        return None
    try:
        found = (
            datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            if len(text) == len("2025-01-31")
            else datetime.fromisoformat(text)
        )
    except ValueError:
        faults[name] = f"{text!r} is no time: write 2025-01-31 or 2025-01-31T12:00 (UTC)"
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)


def _params(spec: StrategySpec, wish: Wish, faults: dict[str, str]) -> Mapping[str, float]:
    try:
        return spec.resolved(wish.params)
    except ParamInvalid as error:
        faults["params"] = str(error)
        return {}


def _number(name: str, text: Any, faults: dict[str, str]) -> Decimal:
    try:
        found = Decimal(str(text))
    except InvalidOperation:
        faults[name] = f"{text!r} is not a number"
        return Decimal(1)
    if not found.is_finite():
        faults[name] = f"{text!r} is not a number"
        return Decimal(1)
    return found


def _costs(wish: Wish, faults: dict[str, str]) -> Costs | None:
    names = ("fee_bps", "spread_bps", "slippage_bps", "depth_per_bps")
    found = {name: _number(name, getattr(wish, name), faults) for name in names}
    if any(name in faults for name in names):
        return None
    try:
        return Costs(**found, latency_ms=int(wish.latency_ms))
    except SetupInvalid as error:
        faults[error.name] = error.message
    except (TypeError, ValueError):
        faults["latency_ms"] = f"{wish.latency_ms!r} is not a whole number"
    return None


def _limits(wish: Wish, faults: dict[str, str]) -> Limits | None:
    if wish.sizing_model not in {model.value for model in SizingModel}:
        faults["sizing_model"] = f"choose one of {', '.join(m.value for m in SizingModel)}"
        return None
    try:
        for entry in wish.limits:
            if entry.get("name") not in limit_book.BY_NAME:
                raise limit_book.LimitInvalid(f"{entry.get('name')!r} is no limit")
        return limits_from(
            wish.limits,
            strategy_id=wish.strategy_id,
            symbol=wish.symbol,
            sizing_model=wish.sizing_model,
        )
    except (limit_book.LimitInvalid, KeyError, AttributeError) as error:
        faults["limits"] = str(error)
        return None


def _entry(wish: Wish, symbol: str, faults: dict[str, str]) -> Mapping[str, Any]:
    """Return the venue's rules of the symbol: the environment's own, else the simulator's."""
    if not symbol:
        return {}
    row = InstrumentRow.objects.filter(
        **venues.venue(wish.environment).columns(), symbol=symbol
    ).first()
    if row is not None:
        return {**row.raw, "status": "TRADING"}
    listed = listings().get(symbol)
    if listed is None:
        faults["symbol"] = f"neither {wish.environment} nor the simulator lists {symbol}"
        return {}
    return listed.entry
