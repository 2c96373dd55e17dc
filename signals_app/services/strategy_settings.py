"""How our own strategies run: read what holds now, change it with a reason.

First values come from the catalogue and the environment; a row is written when a strategy is first
seen, and from then on the row holds. Missing or unreadable settings mean off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import trail
from exchanges.domain.candles import UnknownInterval, length_ms
from foundation.statements import Select
from signals_app.models import StrategySetting
from signals_app.payload import fields
from signals_app.payload.draft import PayloadError
from signals_app.strategies import catalogue
from signals_app.strategies.spec import Kind, ParamInvalid, StrategySpec
from trading.services.risk.strategy_requirements import Need

log = structlog.get_logger(__name__)
BOOT = "first boot"
Mode = StrategySetting.Mode


class UnknownStrategy(LookupError):
    """No strategy of ours has this id."""


class ChangedMeanwhile(Exception):
    """The settings are no longer those that were looked at; the text says who changed them."""

    def __init__(self, row: StrategySetting) -> None:
        super().__init__(
            f"changed meanwhile by {row.changed_by} (version {row.version}): look at it again"
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for one strategy now; `params` has every parameter."""

    spec: StrategySpec
    mode: str
    symbols: tuple[str, ...]
    timeframes: tuple[str, ...]
    params: Mapping[str, float]
    version: int

    @property
    def strategy_id(self) -> str:
        return self.spec.strategy_id


@dataclass(frozen=True, slots=True)
class Wish:
    """A change; None leaves as it is. `params` changes those it names: None puts one back to the
    catalogue's value."""

    mode: str | None = None
    symbols: Iterable[str] | None = None
    timeframes: Iterable[str] | None = None
    params: Mapping[str, Any] | None = None


def ensure() -> None:
    """Write the rows of strategies seen for the first time."""
    known = set(StrategySetting.objects.values_list("strategy_id", flat=True))
    rows = [_first(spec) for spec in catalogue.SPECS if spec.strategy_id not in known]
    if rows:
        StrategySetting.objects.bulk_create(rows, ignore_conflicts=True)


def every(kind: Kind) -> list[Setting]:
    """Return the settings of a kind, in the catalogue's order. One that cannot be read is off."""
    ensure()
    rows = {row.strategy_id: row for row in StrategySetting.objects.all()}
    return [_read(spec, rows[spec.strategy_id]) for spec in catalogue.of_kind(kind)]


def of(strategy_id: str) -> Setting:
    """Return the settings of one strategy. Raise UnknownStrategy."""
    spec = _spec(strategy_id)
    ensure()
    return _read(spec, StrategySetting.objects.get(strategy_id=strategy_id))


@Select
def _row(strategy_id: str) -> QuerySet[StrategySetting]:
    return StrategySetting.objects.filter(strategy_id=strategy_id).order_by()


def mode_of(strategy_id: str) -> str | None:
    """Return how a strategy runs, None for one that is not ours; asks nothing for those."""
    spec = catalogue.BY_ID.get(strategy_id)
    if spec is None:
        return None
    return _read(spec, _row.first(strategy_id=strategy_id) or _first(spec)).mode


def locked(strategy_id: str, version: int | None) -> StrategySetting:
    """Lock a strategy's row until the transaction ends; `version` is the one that was looked at,
    None for whichever holds. Raise ChangedMeanwhile."""
    row = StrategySetting.objects.select_for_update().get(strategy_id=strategy_id)
    if version is not None and row.version != version:
        raise ChangedMeanwhile(row)
    return row


def change(
    *, strategy_id: str, wish: Wish, reason: str, actor: str, version: int | None = None
) -> Setting:
    """Change a strategy's settings, if they are still of this version where one is named. Raise
    UnknownStrategy, ChangedMeanwhile, or ValidationError naming the fields."""
    spec = _spec(strategy_id)
    ensure()
    with transaction.atomic():
        row = locked(strategy_id, version)
        before = _told(row)
        _apply(spec, row, wish, reason)
        after = _told(row)
        if after == before:
            return _read(spec, row)
        row.version += 1
        row.changed_at = timezone.now()
        row.changed_by = actor
        row.save()
        trail.record(
            trail.Entry(
                kind="strategy.changed",
                actor=actor,
                subject_type="strategy",
                subject_id=strategy_id,
                data={
                    "before": before,
                    "after": after,
                    "version": row.version,
                    "reason": reason.strip(),
                },
            )
        )
    return _read(spec, row)


def problems(
    spec: StrategySpec, wish: Wish, reason: str, held: Mapping[str, float]
) -> dict[str, str]:
    """Return what is wrong with a wish, by field; `held` are the values that differ from the
    catalogue's now. A strategy that nobody feeds would be silent for ever, so only one that is off
    may ask for what is not there."""
    found: dict[str, str] = {}
    if wish.mode is not None and wish.mode not in Mode.values:
        found["mode"] = f"Choose one of {', '.join(Mode.values)}."
    for symbol in wish.symbols or ():
        try:
            known = fields.symbol("symbols", symbol)
        except PayloadError as error:
            found["symbols"] = f"{symbol!r} {error.message}"
        else:
            if wish.mode != Mode.OFF and known not in settings.TRADING_SYMBOLS:
                found["symbols"] = f"{known} is not streamed: add it to TRADING_SYMBOLS first."
    for timeframe in wish.timeframes or ():
        try:
            length_ms(timeframe)
        except UnknownInterval as error:
            found["timeframes"] = str(error)
        else:
            if wish.mode != Mode.OFF and timeframe not in settings.CANDLE_INTERVALS:
                found["timeframes"] = f"{timeframe} is not kept: add it to CANDLE_INTERVALS first."
    if wish.timeframes and spec.kind is not Kind.TECHNICAL:
        found["timeframes"] = "Only technical strategies have timeframes."
    if wish.params is not None:
        try:
            spec.resolved(_merged(spec, held, wish.params))
        except ParamInvalid as error:
            found["params"] = str(error)
    if not reason.strip():
        found["reason"] = "Say why: the reason is kept with the change."
    elif len(reason) > 500:
        found["reason"] = "At most 500 characters."
    return found


def needs() -> dict[str, Need]:
    """Return what each live strategy asks of the market, for `check_limits` to hold against."""
    found: dict[str, Need] = {}
    for kind in Kind:
        for one in every(kind):
            if one.mode == Mode.LIVE and (percent := one.params.get("min_spread_percent", 0.0)):
                found[one.strategy_id] = Need(Decimal(str(percent)) * 100, _how(one.spec))
    return found


def _how(spec: StrategySpec) -> str:
    for name, preset in spec.presets.items():
        if preset.get("min_spread_percent") == 0:
            return f"give {spec.strategy_id} its preset {name} (admin, Our strategies)"
    return "lower its min_spread_percent"


def _apply(spec: StrategySpec, row: StrategySetting, wish: Wish, reason: str) -> None:
    if found := problems(spec, wish, reason, row.params):
        raise ValidationError(found)
    if wish.mode is not None:
        row.mode = wish.mode
    if wish.symbols is not None:
        row.symbols = list(dict.fromkeys(fields.symbol("symbols", s) for s in wish.symbols))
    if wish.timeframes is not None:
        row.timeframes = list(dict.fromkeys(wish.timeframes))
    if wish.params is not None:
        defaults = spec.defaults()
        wanted = _merged(spec, row.params, wish.params)
        row.params = {n: v for n, v in wanted.items() if float(v) != defaults[n]}


def _merged(
    spec: StrategySpec, held: Mapping[str, float], named: Mapping[str, Any]
) -> dict[str, Any]:
    """Put what is named over what is held. A value held for a parameter that the catalogue no
    longer knows is dropped; one named is kept, to be refused."""
    known = spec.defaults()
    kept = {name: value for name, value in held.items() if name in known}
    return {n: v for n, v in (kept | dict(named)).items() if v is not None or n not in known}


def _spec(strategy_id: str) -> StrategySpec:
    try:
        return catalogue.BY_ID[strategy_id]
    except KeyError:
        raise UnknownStrategy(f"{strategy_id} is none of our strategies") from None


def _first(spec: StrategySpec) -> StrategySetting:
    """Return a new strategy's row: the catalogue's values, or those of the environment."""
    given: dict[str, float] = settings.STRATEGY_FIRST_PARAMS.get(spec.strategy_id, {})
    return StrategySetting(
        strategy_id=spec.strategy_id,
        mode=settings.STRATEGY_FIRST_MODES.get(spec.strategy_id, spec.first_mode),
        params={name: value for name, value in given.items() if value != spec.defaults()[name]},
        changed_at=timezone.now(),
        changed_by=BOOT,
    )


def _read(spec: StrategySpec, row: StrategySetting) -> Setting:
    mode, params = row.mode, spec.defaults()
    try:
        params = spec.resolved(row.params)
    except ParamInvalid as error:
        log.error("strategy_settings_unreadable", strategy=spec.strategy_id, error=str(error))
        mode = Mode.OFF
    return Setting(
        spec=spec,
        mode=str(mode),
        symbols=tuple(row.symbols or settings.TRADING_SYMBOLS),
        timeframes=tuple(row.timeframes or spec.timeframes),
        params=params,
        version=row.version,
    )


def _told(row: StrategySetting) -> dict[str, Any]:
    return {
        "mode": str(row.mode),
        "symbols": list(row.symbols),
        "timeframes": list(row.timeframes),
        "params": dict(row.params),
    }
