"""The outside market of one symbol: displayed depth and the tape of trades."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

from exchanges.matching.enums import Side
from exchanges.matching.records import ZERO

MINUTE_MS = 60_000
TAPE_MINUTES = 15  # longest average anyone asks for

Slices = list[tuple[Decimal, Decimal]]


class OutsideBook:
    """Depth as [price, quantity] rows, best first. What our orders take stays taken."""

    def __init__(self) -> None:
        self.bids: list[list[Decimal]] = []
        self.asks: list[list[Decimal]] = []
        self.update_id = 0

    def replace(
        self,
        bids: Iterable[tuple[Decimal, Decimal]],
        asks: Iterable[tuple[Decimal, Decimal]],
    ) -> None:
        self.bids = sorted(([p, q] for p, q in bids if q > 0), reverse=True)
        self.asks = sorted([p, q] for p, q in asks if q > 0)
        self.update_id += 1

    def facing(self, taker: Side) -> list[list[Decimal]]:
        """Return the rows a taker of that side trades against, best first."""
        return self.asks if taker is Side.BUY else self.bids

    def best_facing(self, taker: Side) -> Decimal | None:
        rows = self.asks if taker is Side.BUY else self.bids
        return rows[0][0] if rows else None

    def plan(self, taker: Side, quantity: Decimal, limit: Decimal | None, step: Decimal) -> Slices:
        """Walk the book without touching it: (price, quantity) slices for at most `quantity`.

        `limit` None means any price. Slices are whole steps; dust below a step is skipped.
        """
        slices: Slices = []
        buying = taker is Side.BUY
        for price, available in self.asks if buying else self.bids:
            if limit is not None and (price > limit if buying else price < limit):
                break
            take = quantity if quantity <= available else floor_to(available, step)
            if take:
                slices.append((price, take))
                quantity -= take
                if not quantity:
                    break
        return slices

    def plan_quote(self, taker: Side, quote: Decimal, step: Decimal) -> tuple[Slices, bool]:
        """Walk the book for a quote amount. Also say whether depth sufficed to use it up."""
        slices: Slices = []
        for price, available in self.asks if taker is Side.BUY else self.bids:
            wanted = floor_to(quote / price, step)
            if not wanted:
                return slices, True
            take = min(wanted, floor_to(available, step))
            if take:
                slices.append((price, take))
                quote -= price * take
            if take == wanted:
                return slices, True
        return slices, False

    def consume(self, taker: Side, slices: Slices) -> None:
        """Remove planned slices. They must come from a plan over the present depth."""
        rows = self.asks if taker is Side.BUY else self.bids
        index = 0
        for price, quantity in slices:
            while rows[index][0] != price:
                index += 1
            row = rows[index]
            row[1] -= quantity
            if not row[1]:
                del rows[index]
        self.update_id += 1

    def displayed(self, side: Side, price: Decimal) -> Decimal:
        """Return the outside size resting on `side` at exactly `price`."""
        rows = self.bids if side is Side.BUY else self.asks
        return next((q for p, q in rows if p == price), ZERO)


class Tape:
    """Trades of one symbol: last price, and per-minute sums for volume-weighted averages."""

    def __init__(self) -> None:
        self.last_price: Decimal | None = None
        self.last_trade_id = 0
        self.minutes: list[list[Decimal | int]] = []  # [minute, sum of price*qty, sum of qty]

    def record(self, price: Decimal, quantity: Decimal, now_ms: int) -> int:
        """Note a trade and return its new trade id."""
        self.last_price = price
        self.last_trade_id += 1
        minute = now_ms // MINUTE_MS
        rows = self.minutes
        if rows and rows[-1][0] == minute:
            rows[-1][1] += price * quantity
            rows[-1][2] += quantity
        else:
            rows.append([minute, price * quantity, quantity])
            while int(rows[0][0]) <= minute - TAPE_MINUTES:
                del rows[0]
        return self.last_trade_id

    def average(self, minutes: int, now_ms: int) -> Decimal | None:
        """Return the volume-weighted price of the last `minutes`; the last price when 0 or none."""
        if not minutes or not self.minutes:
            return self.last_price
        oldest = now_ms // MINUTE_MS - minutes
        value = volume = ZERO
        for minute, row_value, row_volume in self.minutes:
            if minute > oldest:
                value += row_value
                volume += row_volume
        return value / volume if volume else self.last_price


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Round down to whole steps; a zero step leaves eight decimals."""
    if not step:
        return value.quantize(EIGHT_DECIMALS, rounding=ROUND_DOWN)
    return value - value % step


EIGHT_DECIMALS = Decimal("0.00000001")
