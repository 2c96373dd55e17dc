"""The workbench the rules share, and the three things a rule can say."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from exchanges.domain.books import Book
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import OrderType, Quote, Side, TimeInForce
from trading.domain.figures import Arithmetic, Refusal, plain
from trading.domain.intents import TradeIntent
from trading.domain.risk.types import Limits, RiskSnapshot, Verdict
from trading.domain.sizing import Size
from trading.domain.stops import Levels

Figure = Decimal | int | str | None
Inputs = Mapping[str, Figure]
NO_INPUTS: Inputs = MappingProxyType({})


@dataclass(slots=True)
class Context:
    """One assessment under way: earlier rules leave here what later rules reckon with.

    None means that an earlier rule could not tell, so a rule that needs it says 'not evaluated'.
    """

    intent: TradeIntent
    snapshot: RiskSnapshot
    order_type: OrderType
    quote: Quote | None = None  # usable: two sides, and fresh where an exit asks
    time_in_force: TimeInForce | None = None
    price: Decimal | None = None  # limit price on the grid
    stop_price: Decimal | None = None  # trigger on the grid
    reference: Decimal | None = None  # what one base unit costs at most
    entry_price: Decimal | None = None  # what it is expected to cost: default levels start here
    size: Size | None = None  # before the lot grid
    levels: Levels | None = None
    quantity: Decimal | None = None  # on the lot grid
    notional: Decimal | None = None

    @property
    def limits(self) -> Limits:
        return self.snapshot.limits

    @property
    def instrument(self) -> Instrument | None:
        return self.snapshot.instrument

    @property
    def is_entry(self) -> bool:
        return self.intent.is_entry

    @property
    def side(self) -> Side:
        return Side.BUY if self.intent.is_entry else Side.SELL

    def age_ms(self, price: Quote | Book) -> Decimal:
        """Return how long ago a price was received, in milliseconds to the microsecond."""
        age = self.snapshot.now - price.received_at
        return Decimal(age // timedelta(microseconds=1)).scaleb(-3)

    @property
    def is_market(self) -> bool:
        return self.order_type is OrderType.MARKET

    @property
    def stop_is_measured_from(self) -> Decimal | None:
        """Return the entry price a stop's loss counts from: a default stop moves with the fill, a
        named one does not, so the order's worst price counts."""
        if self.levels is not None and self.levels.stop_distance is not None:
            return self.entry_price
        return self.reference

    @property
    def adds_to_position(self) -> bool:
        """Say whether the intent's symbol is held or on order already; dust is neither."""
        held, snapshot = self.snapshot.holding, self.snapshot
        return (held.quantity > 0 and not held.is_dust) or snapshot.pending_entry_quantity > 0


Rule = Callable[[Context], Verdict]


def begin(intent: TradeIntent, snapshot: RiskSnapshot) -> Context:
    return Context(intent, snapshot, _order_type(intent, snapshot.limits))


def _order_type(intent: TradeIntent, limits: Limits) -> OrderType:
    """Take the intent's order type, else the account's default.

    An exit never fails for want of a price its sender was not asked for: where the default
    cannot be made from what the intent carries, it leaves at market.
    """
    if intent.order_type is not None:
        return intent.order_type
    default = limits.default_order_type
    lacks_price = default.has_limit_price and intent.price is None
    lacks_trigger = default.has_trigger and intent.stop_price is None
    if not intent.is_entry and (lacks_price or lacks_trigger):
        return OrderType.MARKET
    return default


def entry_only(rule: Rule) -> Rule:
    """Make a rule that an exit passes unseen, with the skip on record."""
    name = rule.__name__

    @functools.wraps(rule)
    def with_exits_skipped(ctx: Context) -> Verdict:
        if ctx.is_entry:
            return rule(ctx)
        return Verdict(rule=name, passed=True, skipped=True, message="exits are always allowed")

    return with_exits_skipped


def passed(
    rule: str,
    message: str = "",
    *,
    limit: Figure = "",
    actual: Figure = "",
    inputs: Inputs = NO_INPUTS,
    warned: bool = False,
) -> Verdict:
    return Verdict(
        rule=rule,
        passed=True,
        message=message,
        limit=_word(limit),
        actual=_word(actual),
        warned=warned,
        inputs=_inputs(inputs),
    )


def denied(
    rule: str,
    code: str,
    *,
    limit: Figure,
    actual: Figure,
    detail: str = "",
    inputs: Inputs = NO_INPUTS,
) -> Verdict:
    """Say no: `code` is CATEGORY_CONDITION, the message carries both numbers."""
    limit_word, actual_word = _word(limit), _word(actual)
    tail = f" ({detail})" if detail else ""
    return Verdict(
        rule=rule,
        passed=False,
        code=code,
        message=f"{code}: limit={limit_word} actual={actual_word}{tail}",
        limit=limit_word,
        actual=actual_word,
        inputs=_inputs(inputs),
    )


def refused(rule: str, refusal: Refusal, *, inputs: Inputs = NO_INPUTS) -> Verdict:
    return denied(
        rule,
        refusal.code,
        limit=refusal.limit,
        actual=refusal.actual,
        detail=refusal.detail,
        inputs=inputs,
    )


def not_evaluated(rule: str, why: str) -> Verdict:
    """Record that a rule could not be asked. It never lets an entry through by itself: whatever
    was missing has its own denial, and without a whole plan there is no approval."""
    return Verdict(rule=rule, passed=True, skipped=True, message=f"not evaluated: {why}")


def _word(value: Figure) -> str:
    return value if isinstance(value, str) else plain(value)


def _inputs(inputs: Inputs) -> Arithmetic:
    return tuple((name, _word(value)) for name, value in inputs.items())
