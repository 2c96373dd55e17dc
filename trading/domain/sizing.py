"""How much to trade. A size is never rounded up, never lifted to a minimum, and every cap on it
is written down.

    base quantity        amount, capped like any other
    quote amount         amount / price
    fixed base           default_base_quantity
    fixed quote          default_quote_amount / price
    percent of balance   free_quote x position_pct x confidence / price
    percent of equity    equity x position_pct x confidence / price
    risk to stop         equity x risk_per_trade / (what one base unit loses at the stop with fees)
    fractional Kelly     equity x least(full Kelly x kelly_fraction, kelly_cap) / price

The first two are what a signal asks for itself; the others are the account's own models.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.figures import ZERO, Arithmetic, Refusal, divide_down, plain
from trading.domain.intents import SizeMode, SizingIntent
from trading.domain.risk.types import Limits, SizingModel, TrackRecord

ONE = Decimal(1)
_VENUE_CAP = "cap: largest order of the venue"
_Asked = tuple[Decimal, Arithmetic]


@dataclass(frozen=True, slots=True)
class Size:
    """A quantity in base units, before the venue's grid. `asked` is the size before any cap."""

    quantity: Decimal
    asked: Decimal
    arithmetic: Arithmetic


@dataclass(frozen=True, slots=True)
class Means:
    """What a size may be reckoned from; None is not known, or there is none.

    `available_quote` is the free quote balance not promised elsewhere, `equity` what the account
    is worth in quote units, `stop_loss` the planned stop, `fee_rate` the taker's.
    `stop_is_measured_from` is the entry price the planned stop belongs to, where that is not the
    price the order is sized at.
    """

    available_quote: Decimal | None = None
    equity: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_is_measured_from: Decimal | None = None
    fee_rate: Decimal | None = None
    track_record: TrackRecord | None = None


def size_entry(
    sizing: SizingIntent,
    *,
    confidence: Decimal,
    price: Decimal,
    limits: Limits,
    means: Means,
    max_quantity: Decimal,
    committed_quantity: Decimal,
) -> Size | Refusal:
    """Size an entry at `price` (quote units per base unit).

    `max_quantity` is the most one order may have (zero: not limited); `committed_quantity` what is
    held or on order already, base units. The account's `max_position_notional` caps the size to
    the room that is left; where there is no room at all nothing is capped, and the rule on
    position notional denies with the whole figure. Where the account is sized by risk, the same
    risk caps a size the signal names.
    """
    asked = _asked(sizing, confidence, price, limits, means)
    if isinstance(asked, Refusal):
        return asked
    quantity, lines = asked
    caps = [(_VENUE_CAP, max_quantity)]
    if sizing.mode is not SizeMode.DEFAULT and limits.sizing_model is SizingModel.RISK_TO_STOP:
        bound = _by_risk(price, limits, means)
        if isinstance(bound, Refusal):
            return bound
        caps.append((f"cap: risk {plain(limits.risk_per_trade)} of equity to the stop", bound[0]))
    if limits.max_position_notional:
        room = limits.max_position_notional - committed_quantity * price
        caps.append(
            (
                f"cap: room under position notional {plain(limits.max_position_notional)}",
                divide_down(room, price) if room > 0 else ZERO,
            )
        )
    return _capped(quantity, lines, caps)


def size_exit(
    sizing: SizingIntent,
    *,
    sells_all: bool,
    sellable: Decimal,
    price: Decimal | None,
    max_quantity: Decimal,
) -> Size | Refusal:
    """Size a sale of what is held; never more than `sellable` (base units).

    `price` values a quote amount; it is None when the market is unknown. A reduce that names no
    size sells all.
    """
    if sells_all or sizing.mode is SizeMode.DEFAULT:
        return _capped(
            sellable, (("sell", f"all of {plain(sellable)}"),), [(_VENUE_CAP, max_quantity)]
        )
    asked = _explicit(sizing, price)
    if isinstance(asked, Refusal):
        return asked
    quantity, lines = asked
    return _capped(
        quantity, lines, [("cap: held and free to sell", sellable), (_VENUE_CAP, max_quantity)]
    )


def loss_at_stop(entry: Decimal, stop: Decimal, fee_rate: Decimal) -> Decimal:
    """Return what one base unit bought at `entry` and sold at `stop` loses, both fees included.

    Fees are reckoned in quote on both sides. An entry fee taken from the base that was bought
    costs less, since that base would have been worth only `stop`: so this is the worst of both.
    """
    return entry - stop + fee_rate * (entry + stop)


def _asked(
    sizing: SizingIntent, confidence: Decimal, price: Decimal, limits: Limits, means: Means
) -> _Asked | Refusal:
    if sizing.mode is not SizeMode.DEFAULT:
        return _explicit(sizing, price)
    match limits.sizing_model:
        case SizingModel.FIXED_QUOTE:
            amount = limits.default_quote_amount
            return _explicit(SizingIntent(SizeMode.QUOTE_AMOUNT, amount), price)
        case SizingModel.FIXED_BASE:
            amount = limits.default_base_quantity
            if not amount:
                detail = "the fixed base model needs default_base_quantity: set it for the symbol"
                return Refusal("SIZE_NOT_SET", "above 0", "0", detail)
            return _explicit(SizingIntent(SizeMode.BASE_QUANTITY, amount), price)
        case SizingModel.PERCENT_OF_BALANCE:
            return _by_balance(confidence, price, limits, means)
        case SizingModel.PERCENT_OF_EQUITY:
            return _by_equity(confidence, price, limits, means)
        case SizingModel.RISK_TO_STOP:
            return _by_risk(price, limits, means)
        case SizingModel.FRACTIONAL_KELLY:
            return _by_kelly(price, limits, means)


def _by_balance(
    confidence: Decimal, price: Decimal, limits: Limits, means: Means
) -> _Asked | Refusal:
    free = means.available_quote
    if free is None:
        return Refusal("BALANCE_UNKNOWN", "known", "unknown", "the size is a part of the balance")
    if free <= 0:
        return Refusal("BALANCE_INSUFFICIENT", "0", plain(free), "nothing free to use")
    formula = (
        f"{plain(free)} free x {plain(limits.position_pct)} of balance"
        f" x {plain(confidence)} confidence / {plain(price)}"
    )
    return _worth(free * limits.position_pct * confidence, price, ("percent of balance", formula))


def _by_equity(
    confidence: Decimal, price: Decimal, limits: Limits, means: Means
) -> _Asked | Refusal:
    equity = _equity(means)
    if isinstance(equity, Refusal):
        return equity
    formula = (
        f"{plain(equity)} equity x {plain(limits.position_pct)} of equity"
        f" x {plain(confidence)} confidence / {plain(price)}"
    )
    return _worth(equity * limits.position_pct * confidence, price, ("percent of equity", formula))


def _by_risk(price: Decimal, limits: Limits, means: Means) -> _Asked | Refusal:
    """Size so that the stop, with the fees of entry and exit, costs no more than the risk."""
    equity, stop, rate = _equity(means), means.stop_loss, means.fee_rate
    price = means.stop_is_measured_from or price
    if isinstance(equity, Refusal):
        return equity
    if stop is None:
        detail = "the size is a risk to the stop: name a stop_loss, or have one required"
        return Refusal("SIZE_STOP_MISSING", "a stop", "none", detail)
    if stop >= price:
        return Refusal("STOP_WRONG_SIDE", f"below {plain(price)}", plain(stop))
    if rate is None:
        return Refusal("FEE_RATE_UNKNOWN", "known", "unknown", "the risk includes the fees")
    if not limits.risk_per_trade:
        return Refusal("SIZE_NOT_SET", "above 0", "0", "risk_per_trade is 0: nothing may be lost")
    risk, loss = equity * limits.risk_per_trade, loss_at_stop(price, stop, rate)
    quantity = divide_down(risk, loss)
    each = f"{plain(price)} - {plain(stop)} + fees {plain(rate)} of {plain(price + stop)}"
    return quantity, (
        ("risk to stop", f"{plain(equity)} equity x {plain(limits.risk_per_trade)} at risk"),
        ("amount at risk", plain(risk)),
        ("loss of one at the stop", f"{each} = {plain(loss)}"),
        ("asked", plain(quantity)),
    )


def _by_kelly(price: Decimal, limits: Limits, means: Means) -> _Asked | Refusal:
    """Size by the Kelly share W - (1 - W) / R of the strategy's own closed trades.

    W is the part of them that won, R the average win over the average loss. The share is what the
    entry costs, not what it may lose: with a stop, the milder of the two readings.
    """
    equity, record = _equity(means), means.track_record
    if isinstance(equity, Refusal):
        return equity
    if record is None:
        return Refusal("KELLY_SAMPLE_UNKNOWN", "known", "unknown")
    if record.trades < limits.kelly_min_trades:
        return Refusal(
            "KELLY_SAMPLE_TOO_SMALL",
            plain(limits.kelly_min_trades),
            plain(record.trades),
            "closed trades of the strategy in this account: name a size in the signal or give the "
            "account another sizing model until there are enough",
        )
    if record.wins and not record.losses:
        detail = "no trade lost yet, so wins cannot be held against losses"
        return Refusal("KELLY_PAYOFF_UNKNOWN", "at least 1 loss", "0", detail)
    won = divide_down(Decimal(record.wins), Decimal(record.trades))
    payoff = record.average_win / record.average_loss if record.average_loss > 0 else ZERO
    full = won - (ONE - won) / payoff if payoff > 0 else -ONE
    of = f"{record.wins} of {record.trades} won"
    if full <= 0:
        detail = f"{of}, average win over average loss {plain(payoff)}"
        return Refusal("KELLY_NO_EDGE", "above 0", plain(full), detail)
    share = min(full * limits.kelly_fraction, limits.kelly_cap)
    lines = (
        ("track record", f"{of}, average win over average loss {plain(payoff)}"),
        ("full Kelly", f"{plain(won)} - {plain(ONE - won)} / {plain(payoff)} = {plain(full)}"),
        (
            "share",
            f"{plain(full)} x {plain(limits.kelly_fraction)}, at most {plain(limits.kelly_cap)}"
            f" = {plain(share)}",
        ),
    )
    formula = f"{plain(equity)} equity x {plain(share)} / {plain(price)}"
    return _worth(equity * share, price, *lines, ("fractional Kelly", formula))


def _equity(means: Means) -> Decimal | Refusal:
    if means.equity is None:
        detail = "the size is a part of the account's equity"
        return Refusal("SIZE_EQUITY_UNKNOWN", "known", "unknown", detail)
    if means.equity <= 0:
        return Refusal("SIZE_EQUITY_GONE", "above 0", plain(means.equity))
    return means.equity


def _worth(amount: Decimal, price: Decimal, *how: tuple[str, str]) -> _Asked:
    """Turn a quote amount into base units, with how it came about on record."""
    quantity = divide_down(amount, price)
    return quantity, (*how, ("amount", plain(amount)), ("asked", plain(quantity)))


def _explicit(sizing: SizingIntent, price: Decimal | None) -> _Asked | Refusal:
    amount = sizing.amount
    if amount is None or amount <= 0:
        return Refusal("SIZE_INVALID", "above 0", plain(amount))
    if sizing.mode is SizeMode.BASE_QUANTITY:
        return amount, (("base quantity", plain(amount)),)
    if price is None:
        return Refusal("QUOTE_UNKNOWN", "known", "unknown", "a quote amount needs a price")
    quantity = divide_down(amount, price)
    formula = f"{plain(amount)} / {plain(price)}"
    return quantity, (("quote amount", formula), ("asked", plain(quantity)))


def _capped(asked: Decimal, lines: Arithmetic, caps: list[tuple[str, Decimal]]) -> Size:
    """Apply every cap that bites; a cap of zero does not limit."""
    quantity, notes = asked, list(lines)
    for name, cap in caps:
        if cap and cap < quantity:
            notes.append((name, f"{plain(quantity)} -> {plain(cap)}"))
            quantity = cap
    return Size(quantity, asked, tuple(notes))
