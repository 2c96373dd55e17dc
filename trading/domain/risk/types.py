"""What a rule looks at and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from exchanges.domain.books import Book
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import OrderType, Quote, Side, TimeInForce
from trading.domain.equity import Falls
from trading.domain.levels import Distance, EntryLevels


class TradingMode(StrEnum):
    """The levels of the kill switch, mildest first; the strictest that applies wins.

    No level but ACTIVE lets an entry out, and every level lets exits out. The last two also have
    work carried out: each does what the one before it does, and more.
    """

    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"  # HALT_NEW is another word for it
    CANCEL_OPEN = "CANCEL_OPEN"  # and our entries that rest at the venue are cancelled
    FLATTEN = "FLATTEN"  # and then what is held is sold at market


class SizingModel(StrEnum):
    """How an account sizes an entry whose signal names no size."""

    PERCENT_OF_BALANCE = "percent_of_balance"  # free quote x position_pct x confidence
    FIXED_QUOTE = "fixed_quote"  # default_quote_amount
    FIXED_BASE = "fixed_base"  # default_base_quantity
    PERCENT_OF_EQUITY = "percent_of_equity"  # equity x position_pct x confidence
    RISK_TO_STOP = "risk_to_stop"  # loses equity x risk_per_trade at the stop, fees included
    FRACTIONAL_KELLY = "fractional_kelly"  # equity x a share that past trades speak for


@dataclass(frozen=True, slots=True)
class LossSteps:
    """Percent of equity at which a loss is told of, ends new entries, has everything sold.

    Zero: not that step.
    """

    warn: Decimal = Decimal(0)
    reduce_only: Decimal = Decimal(0)
    flatten: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for one intent, as it stood when the decision was taken.

    `version` is that of the limit book; a figure of zero is 'not limited' where a comment says so.
    """

    min_confidence: Decimal
    max_age_seconds: int
    quote_max_age_seconds: Decimal  # of a quote that an exit is reckoned with
    balance_max_age_seconds: Decimal
    max_open_positions: int
    max_position_notional: Decimal  # quote units, projected after the fill; zero: not limited
    sizing_model: SizingModel
    position_pct: Decimal  # fraction of free quote balance, or of equity
    default_quote_amount: Decimal
    default_order_type: OrderType
    require_stop: bool
    stop_loss_pct: Decimal  # percent of entry
    take_profit_pct: Decimal
    atr_stop_multiple: Decimal = Decimal("1.5")
    atr_target_multiple: Decimal = Decimal("3.75")
    fallback_min_notional: Decimal = Decimal(10)  # used only when the venue names none
    allowed_symbols: frozenset[str] = frozenset()  # empty: every symbol the venue trades
    max_spread_bps: Decimal = Decimal(0)  # of the mid price; zero: not limited
    max_sender_gap_bps: Decimal = Decimal(0)  # of the sender's price; zero: not limited
    max_price_deviation_bps: Decimal = Decimal(0)  # of the book; zero: not limited
    max_orders_per_second: int = 0  # entries; zero: not limited, as for the next three
    max_orders_per_minute: int = 0
    max_orders_per_day: int = 0
    max_repeats: int = 0
    repeat_window_seconds: int = 60
    one_symbol_per_account: bool = False
    max_entries_per_position: int = 0  # zero: not limited
    max_open_positions_total: int = 0  # over all accounts of the environment; zero: not limited
    max_symbol_exposure: Decimal = Decimal(0)  # quote units, over all of them too
    max_gross_exposure: Decimal = Decimal(0)
    max_net_exposure: Decimal = Decimal(0)
    warn_at_pct: Decimal = Decimal(0)  # share of a limit, percent; zero: no rule warns
    cooldown_after_losses: int = 0  # losing trades in a row; zero: not limited
    cooldown_seconds: int = 300
    daily_loss_warn_pct: Decimal = Decimal(0)
    daily_loss_reduce_pct: Decimal = Decimal(0)
    daily_loss_flatten_pct: Decimal = Decimal(0)
    weekly_loss_warn_pct: Decimal = Decimal(0)
    weekly_loss_reduce_pct: Decimal = Decimal(0)
    weekly_loss_flatten_pct: Decimal = Decimal(0)
    drawdown_warn_pct: Decimal = Decimal(0)
    drawdown_reduce_pct: Decimal = Decimal(0)
    drawdown_flatten_pct: Decimal = Decimal(0)
    default_base_quantity: Decimal = Decimal(0)  # base units, under the fixed base model
    risk_per_trade: Decimal = Decimal("0.02")  # fraction of equity lost at the stop
    kelly_fraction: Decimal = Decimal("0.25")  # part of the full Kelly share that is used
    kelly_cap: Decimal = Decimal("0.1")  # most of the equity that one entry costs, whatever it says
    kelly_min_trades: int = 30
    max_stop_loss_pct: Decimal = Decimal(0)  # percent of entry; zero: not limited
    max_slippage_bps: Decimal = Decimal(0)  # of the best ask; zero: not limited
    max_quote_age_ms: int = 500  # of quote and book an entry is decided on
    max_venue_latency_ms: int = 0  # zero: not limited
    protection_grace_seconds: Decimal = Decimal(3)  # a fill may wait so long for its stop
    trading_window: str = ""  # of the account, in the words of `window`; empty: round the clock
    unreadable: tuple[str, ...] = ()  # limits whose stored value this release cannot read
    version: int = 0

    @property
    def daily_loss(self) -> LossSteps:
        return LossSteps(
            self.daily_loss_warn_pct, self.daily_loss_reduce_pct, self.daily_loss_flatten_pct
        )

    @property
    def weekly_loss(self) -> LossSteps:
        return LossSteps(
            self.weekly_loss_warn_pct, self.weekly_loss_reduce_pct, self.weekly_loss_flatten_pct
        )

    @property
    def drawdown(self) -> LossSteps:
        return LossSteps(
            self.drawdown_warn_pct, self.drawdown_reduce_pct, self.drawdown_flatten_pct
        )


@dataclass(frozen=True, slots=True)
class Holding:
    """The account's position in the intent's symbol. Quantities in base units."""

    quantity: Decimal
    average_entry_price: Decimal
    locked_in_exits: Decimal = Decimal(0)  # unfinished exits that are not our protection
    exits_in_flight: Decimal = Decimal(0)  # those of them that do not rest at the venue (yet)
    is_dust: bool = False  # a remnant the venue would take no order for: no position
    naked_since: datetime | None = None  # since when no live stop is known to cover it


@dataclass(frozen=True, slots=True)
class Pace:
    """Entries let through lately: how many, and whose ('account spot-1')."""

    entries: int
    counted: str


@dataclass(frozen=True, slots=True)
class Cooldown:
    """Losing trades in a row, and until when no entry follows them; whose they are counted for."""

    losses: int
    until: datetime | None
    counted: str  # 'account spot-1'


@dataclass(frozen=True, slots=True)
class Together:
    """What all accounts of the environment hold and have on order, quote units at cost.

    Exposures are None when something has no known cost. Cost is of accounts that reckon in the
    same quote asset; positions are of all.
    """

    positions: int  # but for this account's in this symbol
    symbol_exposure: Decimal | None
    gross_exposure: Decimal | None
    net_exposure: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """What a strategy's closed trades came to in one account, net of every fee.

    Averages are shares of what the trades cost: 0.02 is 2 %. A loss is a positive figure. Trades
    that came out even count in `trades` only.
    """

    trades: int
    wins: int
    losses: int
    average_win: Decimal
    average_loss: Decimal


@dataclass(frozen=True, slots=True)
class RiskSnapshot:
    """Everything a decision may depend on. None means 'not known', which never allows an entry."""

    now: datetime
    environment: str
    mode: TradingMode | None
    mode_reason: str
    instrument: Instrument | None
    quote: Quote | None
    limits: Limits
    holding: Holding
    open_position_count: int | None
    free_quote: Decimal | None
    free_base: Decimal | None
    balances_at: datetime | None
    taker_rate: Decimal | None
    pending_entry_quantity: Decimal = Decimal(0)  # same symbol, not yet booked
    can_trade: bool = True
    reserved_quote: Decimal = Decimal(0)  # promised to orders the balance cannot show yet
    paces: Mapping[str, Pace] = field(default_factory=dict)  # by the name of the limit that asks
    own_offers: tuple[Decimal, ...] = ()  # prices of our sells that rest at the same venue account
    stops_elsewhere: int | None = (
        None  # other accounts' positions in the symbol, same venue account
    )
    free_slots: int | None = None  # conditional orders the venue still takes in the symbol
    has_guard: bool = False  # a guard process holds stops that the venue has no place for
    symbols_in_use: frozenset[str] | None = None  # held or on order, but for the intent's
    entries_in_position: int | None = None  # looked up only when their limit is set
    together: Together | None = None  # looked up only when one of its limits is set
    cooldown: Cooldown | None = None  # looked up only when its limit is set
    equity: Decimal | None = None  # money put in, realised and open profit
    falls: Falls | None = None  # today's, this week's and from the best
    track_record: TrackRecord | None = None  # looked up only when the account is sized by it
    book: Book | None = None
    venue_latency_ms: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's word. `inputs` are JSON-ready; numbers are plain-format strings."""

    rule: str
    passed: bool
    code: str = ""  # CATEGORY_CONDITION when not passed, e.g. CONFIDENCE_BELOW_MIN
    message: str = ""  # one sentence with the numbers
    limit: str = ""
    actual: str = ""
    skipped: bool = False  # exits skip entry rules; the skip is on record
    warned: bool = False  # passed, but close to its limit
    inputs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """An order ready to send: quantised, priced, with the protection it must get when filled."""

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    time_in_force: TimeInForce | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    stop_distance: Distance | None = None  # of a default level: it follows the average fill
    target_distance: Distance | None = None
    reference_price: Decimal | None = None
    entry_price: Decimal | None = None  # what the loss at the stop counts from
    max_slippage_bps: Decimal = Decimal(0)  # what its fills are held to; zero: not limited
    notional: Decimal | None = None
    estimated_fee: Decimal | None = None

    @property
    def entry_levels(self) -> EntryLevels:
        """What its fills want their position protected at."""
        return EntryLevels(
            self.stop_loss, self.take_profit, self.stop_distance, self.target_distance
        )


@dataclass(frozen=True, slots=True)
class Assessment:
    """Every verdict in rule order; `plan` is set exactly when all of them passed.

    `sizing` and `levels` are human-readable arithmetic for the decision record. `sketch` is the
    order as far as it was worked out, also after a no: nothing is ever sent by it.
    """

    verdicts: tuple[Verdict, ...]
    plan: OrderPlan | None
    sizing: tuple[tuple[str, str], ...] = ()
    levels: tuple[tuple[str, str], ...] = ()
    sketch: OrderPlan | None = None

    @property
    def approved(self) -> bool:
        return self.plan is not None

    @property
    def denial(self) -> Verdict | None:
        return next((v for v in self.verdicts if not v.passed), None)
