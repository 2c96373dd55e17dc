"""What a backtest came to: fills, trades, denials, and equity as columns. JSON-ready, hashed."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import orjson

from exchanges.domain.candles import Floats, Integers
from signals_app.backtest.books import BookedFill, Books, ClosedTrade
from signals_app.backtest.setup import ZERO, Setup
from signals_app.backtest.simulated_trader import Denied, Desk, Said
from trading.domain.figures import plain


class Stopped(Exception):
    """Whoever watches the run asked it to end."""


class TieOut(Exception):
    """The books and the venue's balances disagree: an error of ours, never a result."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Columns have one entry for each look (a candle's close): `looked_ms` when, `marks` prices,
    `equity` quote units, `held` base units. `opened_at` is the price the run began at."""

    setup: Setup
    looked_ms: Integers
    marks: Floats
    equity: Floats
    held: Floats
    first_price: float
    began_ms: int
    fills: tuple[BookedFill, ...]
    trades: tuple[ClosedTrade, ...]
    said: Said
    cash: Decimal
    base: Decimal
    realised: Decimal
    unfinished: int  # orders that were still on their way at the end

    @property
    def is_open(self) -> bool:
        """Say whether a trade was still open at the end."""
        return bool(self.fills) and (not self.trades or self._last_fill_is_later())

    def _last_fill_is_later(self) -> bool:
        closed = self.trades[-1].closed_ms
        return any(f.side == "BUY" and f.at_ms >= closed for f in self.fills[-6:]) and (
            float(self.base) * float(self.marks[-1]) >= float(self.setup.instrument.min_notional)
        )

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything that happened: the same input gives the same."""
        told = {
            "fills": [_plain(dataclasses.asdict(f)) for f in self.fills],
            "trades": [_plain(dataclasses.asdict(t)) for t in self.trades],
            "denied": dict(sorted(self.said.denied.items())),
            "rejected": dict(sorted(self.said.rejected.items())),
            "calls": self.said.calls,
            "cash": plain(self.cash),
            "base": plain(self.base),
        }
        whole = hashlib.sha256(orjson.dumps(told))
        whole.update(np.round(self.equity, 8).tobytes())
        return whole.hexdigest()


def of(
    desk: Desk,
    setup: Setup,
    *,
    looked_ms: Integers,
    marks: Floats,
    equity: Floats,
    held: Floats,
    first_price: float,
    began_ms: int,
) -> Result:
    """Collect a finished run, after the venue's balances have been held against the books."""
    books: Books = desk.books
    cash = desk.venue.holds(desk.instrument.quote_asset)
    base = desk.venue.holds(desk.instrument.base_asset)
    _tie_out(setup, books, cash, base)
    return Result(
        setup=setup,
        looked_ms=looked_ms,
        marks=marks,
        equity=equity,
        held=held,
        first_price=first_price,
        began_ms=began_ms,
        fills=tuple(books.fills),
        trades=tuple(books.trades),
        said=desk.said,
        cash=cash,
        base=base,
        realised=books.state.realised_pnl,
        unfinished=len(desk.on_the_way),
    )


def _tie_out(setup: Setup, books: Books, cash: Decimal, base: Decimal) -> None:
    """The books are told by every fill, the balances by the venue: both must say the same."""
    if base != books.state.quantity:
        raise TieOut(f"the venue holds {base}, the books say {books.state.quantity}")
    should = setup.cash + books.state.realised_pnl - books.state.cost
    if abs(cash - should) > Decimal("1e-6"):
        raise TieOut(f"the venue holds {cash} in money, the books say {should}")


def fills_json(result: Result) -> list[dict[str, Any]]:
    return [_plain(dataclasses.asdict(f)) for f in result.fills]


def trades_json(result: Result) -> list[dict[str, Any]]:
    return [_plain(dataclasses.asdict(t)) for t in result.trades]


def denials_json(denials: list[Denied]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(one) for one in denials]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(v) if isinstance(v, Decimal) else v for name, v in row.items()}


def total(values: Any) -> Decimal:
    return sum(values, ZERO)
