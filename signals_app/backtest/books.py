"""The account of a backtest: its position, its closed trades, what they cost, its losing streak."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import Side
from signals_app.backtest.setup import ZERO
from signals_app.backtest.venue import Taken
from trading.domain import levels, positions
from trading.domain.risk.types import Cooldown, Limits, TrackRecord

LATEST = 500  # closed trades that Kelly looks at, as live


@dataclass(frozen=True, slots=True)
class BookedFill:
    """One trade of ours with why it was made: entry, exit (a call), stop, target or end."""

    at_ms: int
    side: str
    why: str
    price: Decimal
    quantity: Decimal
    fee: Decimal  # quote units
    spread: Decimal  # what half the spread cost, quote units
    slippage: Decimal  # what was lost beyond that, quote units


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """From flat to flat. Prices are averages; profit is net of every fee, quote units."""

    opened_ms: int
    closed_ms: int
    entry_price: Decimal
    exit_price: Decimal
    bought: Decimal
    sold: Decimal
    fees: Decimal
    profit: Decimal
    why: str  # what closed it: exit, stop, target, end
    entries: int

    @property
    def share(self) -> Decimal:
        """Profit as a share of what was paid."""
        cost = self.bought * self.entry_price
        return self.profit / cost if cost else ZERO


@dataclass(slots=True)
class _Running:
    opened_ms: int = 0
    bought: Decimal = ZERO
    paid: Decimal = ZERO
    sold: Decimal = ZERO
    received: Decimal = ZERO
    entries: int = 0


class Books:
    """Booked fill by fill. What a trade leaves behind (dust) counts into the next one."""

    def __init__(self, instrument: Instrument, limits: Limits) -> None:
        self.state = positions.FLAT
        self.fills: list[BookedFill] = []
        self.trades: list[ClosedTrade] = []
        self.stop: Decimal | None = None
        self.target: Decimal | None = None
        self.streak = 0
        self.cooldown_until: datetime | None = None
        self.cooldown_losses = 0
        self._instrument = instrument
        self._limits = limits
        self._running: _Running | None = None
        self._settled_profit = ZERO
        self._settled_fees = ZERO

    @property
    def is_open(self) -> bool:
        return self._running is not None

    @property
    def entries(self) -> int:
        return self._running.entries if self._running else 0

    def book_entry(self, fills: Iterable[Taken], wanted: levels.EntryLevels) -> None:
        """Book what an entry bought and set what it is protected at, by the live desk's rules."""
        fills = list(fills)
        if not fills:
            return
        if self._running is None:
            self._running = _Running(opened_ms=fills[0].at_ms)
            self.stop = self.target = None
        self._running.entries += 1
        for fill in fills:
            self._book(fill, "entry")
            self._running.bought += fill.quantity
            self._running.paid += fill.quantity * fill.price
        bought = sum((fill.quantity for fill in fills), ZERO)
        average = sum((fill.quantity * fill.price for fill in fills), ZERO) / bought
        bracket = levels.after_entry(
            levels.Bracket(self.stop, self.target),
            wanted.at(average, self._instrument.price),
            paid=min(fill.price for fill in fills),
        )
        self.stop, self.target = bracket.stop, bracket.target

    def book_exit(self, fills: Iterable[Taken], why: str) -> None:
        """Book what a sale sold; the trade is over when no more can be."""
        for fill in fills:
            self._book(fill, why)
            if self._running is None:
                continue
            self._running.sold += fill.quantity
            self._running.received += fill.quantity * fill.price
            if self._is_over(fill.price):
                self._close(fill.at_ms, why)

    def cooldown(self) -> Cooldown:
        return Cooldown(
            self.cooldown_losses if self.cooldown_until else self.streak,
            self.cooldown_until,
            "backtest",
        )

    def track_record(self) -> TrackRecord:
        """Reckon the latest closed trades as live sizing does."""
        latest = [t.share for t in self.trades[-LATEST:]]
        won = [share for share in latest if share > 0]
        lost = [-share for share in latest if share < 0]
        return TrackRecord(len(latest), len(won), len(lost), _mean(won), _mean(lost))

    def _book(self, fill: Taken, why: str) -> None:
        fee = positions.value_fee(
            fill.commission,
            fill.commission_asset,
            base_asset=self._instrument.base_asset,
            quote_asset=self._instrument.quote_asset,
        )
        self.state = positions.apply_fill(
            self.state,
            fill.side,
            fill.price,
            fill.quantity,
            fee_in_base=fee.in_base,
            fee_in_quote_value=fee.in_quote_value,
        )
        lost = (fill.price - fill.mid) * fill.quantity
        lost = lost if fill.side is Side.BUY else -lost
        spread = ZERO if fill.is_maker else fill.half * fill.quantity
        self.fills.append(
            BookedFill(
                fill.at_ms,
                fill.side.value,
                why,
                fill.price,
                fill.quantity,
                fee.in_base * fill.price + fee.in_quote_value,
                spread,
                ZERO if fill.is_maker else lost - spread,
            )
        )

    def _is_over(self, price: Decimal) -> bool:
        left = self._instrument.floor_quantity(self.state.quantity)
        return left < self._instrument.lot.minimum or (left * price < self._instrument.min_notional)

    def _close(self, at_ms: int, why: str) -> None:
        run = self._running
        assert run is not None
        profit = self.state.realised_pnl - self._settled_profit
        self.trades.append(
            ClosedTrade(
                run.opened_ms,
                at_ms,
                run.paid / run.bought,
                run.received / run.sold,
                run.bought,
                run.sold,
                self.state.fees_quote - self._settled_fees,
                profit,
                why,
                run.entries,
            )
        )
        self._settled_profit = self.state.realised_pnl
        self._settled_fees = self.state.fees_quote
        self._running = None
        self.stop = self.target = None
        self._count(profit, at_ms)

    def _count(self, profit: Decimal, at_ms: int) -> None:
        """Count losses in a row: a win or a pause begins the count anew."""
        if not profit:
            return
        self.streak = self.streak + 1 if profit < 0 else 0
        most = self._limits.cooldown_after_losses
        if most and self.streak >= most:
            pause = timedelta(seconds=self._limits.cooldown_seconds)
            self.cooldown_until = datetime.fromtimestamp(at_ms / 1000, UTC) + pause
            self.cooldown_losses, self.streak = self.streak, 0


def _mean(shares: list[Decimal]) -> Decimal:
    return sum(shares, ZERO) / len(shares) if shares else ZERO
