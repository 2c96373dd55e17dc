"""Every limit there is, and what holds when several places set one.

A limit may be set for everything (`global`), for an account, a strategy or a symbol. The most
specific place that sets it wins, `symbol` over `strategy` over `account` over `global`; but
nothing is ever looser than the hard cap, which only `cap` sets. A limit nobody set has its first
value, from the environment. A new limit is a line in LIMITS and a field of `risk.types.Limits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from trading.domain.figures import plain

Value = Decimal | int | bool
_FINEST = Decimal("1e-12")
_LARGEST = Decimal(10**12)


class Kind(StrEnum):
    NUMBER = "number"  # Decimal
    WHOLE = "whole number"
    SWITCH = "switch"


class Stricter(StrEnum):
    """Which way safety lies. Neither: a setting that is neither safer nor riskier either way."""

    LOWER = "lower"
    HIGHER = "higher"
    ON = "on"
    NEITHER = "neither"


class Scope(StrEnum):
    """Where a value is set, from the widest to the most specific; `cap` bounds all of them."""

    CAP = "cap"
    GLOBAL = "global"
    ACCOUNT = "account"
    STRATEGY = "strategy"
    SYMBOL = "symbol"


SPECIFICITY = (Scope.SYMBOL, Scope.STRATEGY, Scope.ACCOUNT, Scope.GLOBAL)


class LimitInvalid(ValueError):
    """A value that a limit cannot have; the text says what it can."""


@dataclass(frozen=True, slots=True)
class LimitSpec:
    """One limit: `setting` names the environment's first value. Zero is 'not limited' only where
    `zero_is_unlimited` says so."""

    name: str
    kind: Kind
    unit: str
    stricter: Stricter
    setting: str
    help: str
    low: Decimal = Decimal(0)
    high: Decimal | None = None
    zero_is_unlimited: bool = False

    def parse(self, given: object) -> Value:
        """Return `given` (a number, its text, or a switch's word) as this limit's value.

        Raises LimitInvalid with the range it must lie in.
        """
        if self.kind is Kind.SWITCH:
            return _switch(self, given)
        value = _number(self, given)
        if self.kind is Kind.WHOLE and value != value.to_integral_value():
            raise LimitInvalid(f"{self.name}: {given} is not a whole number")
        if value < self.low or (self.high is not None and value > self.high):
            raise LimitInvalid(f"{self.name}: {given} is out of range, {self.range}")
        return int(value) if self.kind is Kind.WHOLE else value

    @property
    def range(self) -> str:
        """Say in words what values it takes."""
        if self.kind is Kind.SWITCH:
            return "on or off"
        upper = f" to {self.high}" if self.high is not None else " or more"
        tail = "; 0 is no limit" if self.zero_is_unlimited else ""
        return f"{self.low}{upper} ({self.unit}){tail}"

    def is_looser(self, new: Value, old: Value) -> bool:
        """Say whether `new` lets more happen than `old`. Where neither way is safer, any change
        counts as looser: it wants the same care."""
        if new == old or self.stricter is Stricter.NEITHER:
            return new != old
        if self.stricter is Stricter.ON:
            return bool(old) and not new
        if self.zero_is_unlimited and (not new or not old):
            return not new
        return new > old if self.stricter is Stricter.LOWER else new < old

    def strictest(self, value: Value, cap: Value) -> Value:
        """Return `value`, or `cap` when `value` is looser than it."""
        if self.stricter is Stricter.NEITHER or not self.is_looser(value, cap):
            return value
        return cap


def _switch(spec: LimitSpec, given: object) -> bool:
    if isinstance(given, bool):
        return given
    word = str(given).strip().lower()
    if word in ("on", "true", "yes", "1"):
        return True
    if word in ("off", "false", "no", "0"):
        return False
    raise LimitInvalid(f"{spec.name}: {given} is neither on nor off")


def _number(spec: LimitSpec, given: object) -> Decimal:
    if isinstance(given, bool | float) or not isinstance(given, Decimal | int | str):
        raise LimitInvalid(f"{spec.name}: write the number as text or a whole number, {spec.range}")
    try:
        value = Decimal(given)
    except InvalidOperation:
        raise LimitInvalid(f"{spec.name}: {given!r} is not a number, {spec.range}") from None
    if not value.is_finite() or not str(given).isascii():
        raise LimitInvalid(f"{spec.name}: {given} is not a number, {spec.range}")
    if value > _LARGEST or value != value.quantize(_FINEST):
        raise LimitInvalid(f"{spec.name}: at most 12 decimals and {_LARGEST}")
    return value


def word(value: Value) -> str:
    """Write a value as it is stored and shown: plain digits, or on and off."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return plain(value)


LIMITS: tuple[LimitSpec, ...] = (
    LimitSpec(
        "min_confidence",
        Kind.NUMBER,
        "0 to 1",
        Stricter.HIGHER,
        "MIN_CONFIDENCE",
        "Entries whose signal is less sure of itself are denied.",
        high=Decimal(1),
    ),
    LimitSpec(
        "max_open_positions",
        Kind.WHOLE,
        "positions",
        Stricter.LOWER,
        "MAX_OPEN_POSITIONS",
        "Positions (and entries on their way) one account may have open at a time.",
    ),
    LimitSpec(
        "max_position_notional",
        Kind.NUMBER,
        "quote units",
        Stricter.LOWER,
        "MAX_POSITION_NOTIONAL",
        "Value of one position after the fill.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "position_pct",
        Kind.NUMBER,
        "share of the free quote balance",
        Stricter.LOWER,
        "POSITION_PCT",
        "Part of the free balance one entry may use at full confidence: 0.02 is 2 %.",
        high=Decimal(1),
    ),
    LimitSpec(
        "default_quote_amount",
        Kind.NUMBER,
        "quote units",
        Stricter.LOWER,
        "DEFAULT_BASE_AMOUNT",
        "Size of an entry under the fixed quote model.",
    ),
    LimitSpec(
        "default_base_quantity",
        Kind.NUMBER,
        "base units",
        Stricter.LOWER,
        "DEFAULT_BASE_QUANTITY",
        "Size of an entry under the fixed base model; set it for the symbol.",
    ),
    LimitSpec(
        "risk_per_trade",
        Kind.NUMBER,
        "share of equity",
        Stricter.LOWER,
        "RISK_PER_TRADE",
        "Most that an entry sized by risk loses at its stop, fees included: 0.02 is 2 %.",
        high=Decimal(1),
    ),
    LimitSpec(
        "kelly_fraction",
        Kind.NUMBER,
        "share of full Kelly",
        Stricter.LOWER,
        "KELLY_FRACTION",
        "Part of the full Kelly share that an entry sized by it costs.",
        high=Decimal(1),
    ),
    LimitSpec(
        "kelly_cap",
        Kind.NUMBER,
        "share of equity",
        Stricter.LOWER,
        "KELLY_CAP",
        "Most that an entry sized by Kelly costs, however good its past.",
        high=Decimal(1),
    ),
    LimitSpec(
        "kelly_min_trades",
        Kind.WHOLE,
        "closed trades",
        Stricter.HIGHER,
        "KELLY_MIN_TRADES",
        "Closed trades a strategy needs in the account before Kelly sizes its entries.",
        low=Decimal(1),
        high=Decimal(500),
    ),
    LimitSpec(
        "require_stop",
        Kind.SWITCH,
        "",
        Stricter.ON,
        "REQUIRE_STOP",
        "An entry without a stop gets the default one, and no position stays without.",
    ),
    LimitSpec(
        "stop_loss_pct",
        Kind.NUMBER,
        "percent of the entry",
        Stricter.NEITHER,
        "STOP_LOSS_DEFAULT",
        "Distance of the default stop.",
        low=Decimal("0.01"),
        high=Decimal(99),
    ),
    LimitSpec(
        "max_stop_loss_pct",
        Kind.NUMBER,
        "percent of the entry",
        Stricter.LOWER,
        "MAX_STOP_LOSS_PCT",
        "Entries whose stop is further away are denied, whoever named it.",
        high=Decimal(99),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "take_profit_pct",
        Kind.NUMBER,
        "percent of the entry",
        Stricter.NEITHER,
        "TAKE_PROFIT_DEFAULT",
        "Distance of the default target.",
        high=Decimal(1000),
    ),
    LimitSpec(
        "max_spread_bps",
        Kind.NUMBER,
        "basis points of the mid price",
        Stricter.LOWER,
        "MAX_SPREAD_BPS",
        "Entries are denied while ask and bid are further apart.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_sender_gap_bps",
        Kind.NUMBER,
        "basis points of the sender's price",
        Stricter.LOWER,
        "MAX_SENDER_GAP_BPS",
        "Entries are denied when our own book is further from the price the signal was made on.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_price_deviation_bps",
        Kind.NUMBER,
        "basis points of our own book",
        Stricter.LOWER,
        "MAX_PRICE_DEVIATION_BPS",
        "Price collar: a limit or trigger price further from the book is taken for a typing error.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_slippage_bps",
        Kind.NUMBER,
        "basis points of the best price",
        Stricter.LOWER,
        "MAX_SLIPPAGE_BPS",
        "What a market entry may cost above the best ask by its size; a fill further off is told.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_quote_age_ms",
        Kind.WHOLE,
        "milliseconds",
        Stricter.LOWER,
        "MAX_LATENCY_MS",
        "Entries are denied on prices (quote, book) received longer ago.",
        low=Decimal(1),
        high=Decimal(60_000),
    ),
    LimitSpec(
        "max_venue_latency_ms",
        Kind.WHOLE,
        "milliseconds",
        Stricter.LOWER,
        "MAX_VENUE_LATENCY_MS",
        "Entries are denied while the venue lately took longer to answer.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_orders_per_second",
        Kind.WHOLE,
        "entries",
        Stricter.LOWER,
        "MAX_ORDERS_PER_SECOND",
        "Entries let through within any second. Set for a strategy or a symbol, it counts those.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_orders_per_minute",
        Kind.WHOLE,
        "entries",
        Stricter.LOWER,
        "MAX_ORDERS_PER_MINUTE",
        "Entries let through within any minute, counted in the same way.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_orders_per_day",
        Kind.WHOLE,
        "entries",
        Stricter.LOWER,
        "MAX_ORDERS_PER_DAY",
        "Entries let through within any 24 hours, counted in the same way.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_repeats",
        Kind.WHOLE,
        "entries",
        Stricter.LOWER,
        "MAX_REPEATS",
        "Entries of one strategy in one symbol within the repeat window: more look like a loop.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "repeat_window_seconds",
        Kind.WHOLE,
        "seconds",
        Stricter.HIGHER,
        "REPEAT_WINDOW_SECONDS",
        "How far back repeats are counted.",
        low=Decimal(1),
        high=Decimal(86_400),
    ),
    LimitSpec(
        "one_symbol_per_account",
        Kind.SWITCH,
        "",
        Stricter.ON,
        "ONE_SYMBOL_PER_ACCOUNT",
        "An account that holds a symbol enters no other until it is flat.",
    ),
    LimitSpec(
        "max_entries_per_position",
        Kind.WHOLE,
        "entries",
        Stricter.LOWER,
        "MAX_ENTRIES_PER_POSITION",
        "Entries one position may be made of, those on their way included.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_open_positions_total",
        Kind.WHOLE,
        "positions",
        Stricter.LOWER,
        "MAX_OPEN_POSITIONS_TOTAL",
        "Positions (and entries on their way) of all accounts of one environment together.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_symbol_exposure",
        Kind.NUMBER,
        "quote units",
        Stricter.LOWER,
        "MAX_SYMBOL_EXPOSURE",
        "What all accounts of one environment may hold of one symbol at cost, with this entry.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_gross_exposure",
        Kind.NUMBER,
        "quote units",
        Stricter.LOWER,
        "MAX_GROSS_EXPOSURE",
        "What all accounts of one environment may hold altogether at cost, with this entry.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "max_net_exposure",
        Kind.NUMBER,
        "quote units",
        Stricter.LOWER,
        "MAX_NET_EXPOSURE",
        "What is left of it when long and short are set against each other.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "cooldown_after_losses",
        Kind.WHOLE,
        "losing trades in a row",
        Stricter.LOWER,
        "MAX_LOSS_COOLDOWN",
        "So many losses in a row, after fees, are followed by a pause. Set for a strategy or a"
        " symbol, it counts those.",
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "cooldown_seconds",
        Kind.WHOLE,
        "seconds",
        Stricter.HIGHER,
        "COOLDOWN_DURATION_SECONDS",
        "How long the pause after losses is.",
        high=Decimal(2_592_000),
    ),
    LimitSpec(
        "daily_loss_warn_pct",
        Kind.NUMBER,
        "percent of equity",
        Stricter.LOWER,
        "DAILY_LOSS_WARN_PCT",
        "Loss of a day of an account at which it is told.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "daily_loss_reduce_pct",
        Kind.NUMBER,
        "percent of equity",
        Stricter.LOWER,
        "DAILY_LOSS_REDUCE_PCT",
        "Loss of a day of an account at which it ends new entries.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "daily_loss_flatten_pct",
        Kind.NUMBER,
        "percent of equity",
        Stricter.LOWER,
        "DAILY_LOSS_FLATTEN_PCT",
        "Loss of a day of an account at which it has everything sold.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "weekly_loss_warn_pct",
        Kind.NUMBER,
        "percent of equity",
        Stricter.LOWER,
        "WEEKLY_LOSS_WARN_PCT",
        "Loss of a week of an account at which it is told.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "weekly_loss_reduce_pct",
        Kind.NUMBER,
        "percent of equity",
        Stricter.LOWER,
        "WEEKLY_LOSS_REDUCE_PCT",
        "Loss of a week of an account at which it ends new entries.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "weekly_loss_flatten_pct",
        Kind.NUMBER,
        "percent of equity",
        Stricter.LOWER,
        "WEEKLY_LOSS_FLATTEN_PCT",
        "Loss of a week of an account at which it has everything sold.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "drawdown_warn_pct",
        Kind.NUMBER,
        "percent of equity",
        Stricter.LOWER,
        "DRAWDOWN_WARN_PCT",
        "Fall from the best of an account at which it is told.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "drawdown_reduce_pct",
        Kind.NUMBER,
        "percent of equity",
        Stricter.LOWER,
        "DRAWDOWN_REDUCE_PCT",
        "Fall from the best of an account at which it ends new entries.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "drawdown_flatten_pct",
        Kind.NUMBER,
        "percent of equity",
        Stricter.LOWER,
        "DRAWDOWN_FLATTEN_PCT",
        "Fall from the best of an account at which it has everything sold.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
    LimitSpec(
        "warn_at_pct",
        Kind.NUMBER,
        "percent of a limit",
        Stricter.NEITHER,
        "WARN_AT_PCT",
        "From this share of its limit on, a rule that still passes says so.",
        high=Decimal(100),
        zero_is_unlimited=True,
    ),
)
BY_NAME: Mapping[str, LimitSpec] = {spec.name: spec for spec in LIMITS}


@dataclass(frozen=True, slots=True)
class Setting:
    """One value set in one place; `version` is the book's when it was set."""

    scope: str
    key: str
    name: str
    value: str
    version: int


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one limit, and why: `source` reads like 'account spot-1' or 'first value'."""

    spec: LimitSpec
    value: Value
    source: str
    version: int  # 0: nobody ever set it
    scope: Scope = Scope.GLOBAL  # where the value that holds is set; a first value is everybody's
    is_capped: bool = False
    is_readable: bool = True  # False: what is stored says nothing to this release

    @property
    def text(self) -> str:
        return word(self.value)


def resolve(
    settings: Iterable[Setting],
    *,
    first_values: Mapping[str, Value],
    account: str,
    strategy_id: str,
    symbol: str,
    specs: Iterable[LimitSpec] = LIMITS,
) -> dict[str, Effective]:
    """Return what holds for one intent, by limit name; every one of `specs` is in it."""
    keys = {
        Scope.CAP: "",
        Scope.GLOBAL: "",
        Scope.ACCOUNT: account,
        Scope.STRATEGY: strategy_id,
        Scope.SYMBOL: symbol,
    }
    found = {
        (setting.name, setting.scope): setting
        for setting in settings
        if setting.scope in keys and setting.key == keys[Scope(setting.scope)]
    }
    return {spec.name: _effective(spec, found, first_values[spec.name]) for spec in specs}


def _effective(
    spec: LimitSpec, found: Mapping[tuple[str, str], Setting], first_value: Value
) -> Effective:
    try:
        return _read(spec, found, first_value)
    except LimitInvalid:
        # Exits must go on, so somebody's value has to hold; entries are denied for it by a rule.
        return Effective(spec, first_value, "not readable", 0, is_readable=False)


def _read(
    spec: LimitSpec, found: Mapping[tuple[str, str], Setting], first_value: Value
) -> Effective:
    chosen = next((s for scope in SPECIFICITY if (s := found.get((spec.name, scope)))), None)
    if chosen is None:
        value, source, version, scope = first_value, "first value", 0, Scope.GLOBAL
    else:
        value, version = spec.parse(chosen.value), chosen.version
        scope = Scope(chosen.scope)
        source = f"{chosen.scope} {chosen.key}".strip()
    cap = found.get((spec.name, Scope.CAP))
    if cap is None:
        return Effective(spec, value, source, version, scope)
    allowed = spec.strictest(value, spec.parse(cap.value))
    if allowed == value:
        return Effective(spec, value, source, version, scope)
    source = f"hard cap over {source}"
    return Effective(spec, allowed, source, cap.version, Scope.CAP, is_capped=True)
