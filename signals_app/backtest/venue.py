"""The venue of a backtest: the simulator's matching engine with one account and one symbol.

The outside market is what the caller shows it. With candles it is a book made around a price:
half the spread to each side, moved by the slippage against whoever takes, and as deep as the costs
say. With a recorded stream it is the recorded book.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from exchanges.domain.books import Level
from exchanges.matching import Engine, Event, NewOco, NewOrder, Order, OrderChanged, OrderType, Side
from signals_app.backtest.setup import BPS, ZERO, Setup

ACCOUNT = "backtest"
ANY_SIZE = Decimal(10**9)
DEPTH_LEVELS = 100
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Taken:
    """One trade of ours. `mid` is the market's price when it happened and `half` half the spread
    then, commission as charged."""

    order_id: int
    side: Side
    type: OrderType
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    is_maker: bool
    at_ms: int
    mid: Decimal
    half: Decimal


class Venue:
    """Every call that may trade returns our trades, in order."""

    def __init__(self, setup: Setup, *, queue_at_touch: bool = False) -> None:
        self.setup = setup
        self.instrument = setup.instrument
        self.symbol = setup.symbol
        self.mid = self.half = ZERO
        self._engine = Engine(queue_at_touch=queue_at_touch)
        self._engine.add_symbol(setup.entry)
        rate = setup.costs.fee_rate
        self._engine.add_account(
            ACCOUNT,
            balances={self.instrument.quote_asset: setup.cash},
            maker_rate=rate,
            taker_rate=rate,
        )

    # ---- the market --------------------------------------------------------------------------

    def move_to(self, price: Decimal, now_ms: int, size: Decimal = ANY_SIZE) -> list[Taken]:
        """Show a market at a price, and have somebody trade there.

        The book comes first: what rests below the new bid fills, then the trade fires triggers.
        """
        self.mid, self.half = price, price * self.setup.costs.half_spread
        bids, asks = self.made_book(price, slipped=True)
        events = self._engine.set_book(self.symbol, bids, asks, now_ms)
        printed = self._engine.trade(self.symbol, price, size, now_ms)
        return self._taken((*events, *printed))

    def show(self, bids: Iterable[Level], asks: Iterable[Level], now_ms: int) -> list[Taken]:
        """Show a recorded book."""
        bids, asks = tuple(bids), tuple(asks)
        if bids and asks:
            self.mid = (bids[0][0] + asks[0][0]) / 2
            self.half = (asks[0][0] - bids[0][0]) / 2
        slip = self.setup.costs.slip
        if slip:
            bids = tuple((self._down(p * (ONE - slip)), q) for p, q in bids)
            asks = tuple((self._up(p * (ONE + slip)), q) for p, q in asks)
        return self._taken(self._engine.set_book(self.symbol, bids, asks, now_ms))

    def print(
        self, price: Decimal, quantity: Decimal, now_ms: int, *, buyer_is_maker: bool | None
    ) -> list[Taken]:
        """Have an outside trade of the recording happen."""
        return self._taken(self._engine.trade(self.symbol, price, quantity, now_ms, buyer_is_maker))

    def made_book(
        self, price: Decimal, *, slipped: bool
    ) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Make the two sides of a book around a price, best first."""
        costs = self.setup.costs
        away = costs.half_spread + (costs.slip if slipped else ZERO)
        bid, ask = self._down(price * (ONE - away)), self._up(price * (ONE + away))
        if not costs.depth_per_bps:
            return ((bid, ANY_SIZE),), ((ask, ANY_SIZE),)
        quantity = costs.depth_per_bps / price
        steps = [Decimal(n) / BPS for n in range(DEPTH_LEVELS)]
        bids = tuple((self._down(bid * (ONE - step)), quantity) for step in steps)
        asks = tuple((self._up(ask * (ONE + step)), quantity) for step in steps)
        return bids, asks

    # ---- our orders --------------------------------------------------------------------------

    def market(self, side: Side, quantity: Decimal, client_id: str, now_ms: int) -> list[Taken]:
        """Take at the market. Raise VenueRefusal."""
        order = NewOrder(
            self.symbol, side, OrderType.MARKET, quantity=quantity, client_order_id=client_id
        )
        return self._taken(self._engine.place(ACCOUNT, order, now_ms).events)

    def stop(self, quantity: Decimal, stop: Decimal, client_id: str, now_ms: int) -> list[Taken]:
        """Rest a protective stop. Raise VenueRefusal."""
        leg = self._stop_leg(quantity, stop, client_id)
        return self._taken(self._engine.place(ACCOUNT, leg, now_ms).events)

    def target(self, quantity: Decimal, price: Decimal, client_id: str, now_ms: int) -> list[Taken]:
        """Rest a target without a stop. Raise VenueRefusal."""
        leg = self._target_leg(quantity, price, client_id)
        return self._taken(self._engine.place(ACCOUNT, leg, now_ms).events)

    def pair(
        self, quantity: Decimal, target: Decimal, stop: Decimal, name: str, now_ms: int
    ) -> list[Taken]:
        """Rest a target and a stop that cancel each other (OCO). Raise VenueRefusal."""
        pair = NewOco(
            above=self._target_leg(quantity, target, f"{name}-t"),
            below=self._stop_leg(quantity, stop, f"{name}-s"),
            list_client_order_id=name,
        )
        return self._taken(self._engine.place_list(ACCOUNT, pair, now_ms).events)

    def cancel(self, client_id: str, now_ms: int) -> None:
        self._engine.cancel(ACCOUNT, self.symbol, now_ms, client_order_id=client_id)

    def cancel_pair(self, list_id: int, now_ms: int) -> None:
        self._engine.cancel_list(ACCOUNT, self.symbol, now_ms, list_id=list_id)

    def resting(self) -> tuple[Order, ...]:
        return self._engine.open_orders(ACCOUNT, self.symbol)

    # ---- our money ---------------------------------------------------------------------------

    def purse(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Return (free, locked) by asset."""
        rows = self._engine.account(ACCOUNT).balances
        return {asset: (free, locked) for asset, free, locked in rows}

    def holds(self, asset: str) -> Decimal:
        free, locked = self.purse().get(asset, (ZERO, ZERO))
        return free + locked

    # ---- inside ------------------------------------------------------------------------------

    def _stop_leg(self, quantity: Decimal, stop: Decimal, client_id: str) -> NewOrder:
        return NewOrder(
            self.symbol,
            Side.SELL,
            OrderType.STOP_LOSS,
            quantity=quantity,
            stop_price=stop,
            client_order_id=client_id,
        )

    def _target_leg(self, quantity: Decimal, price: Decimal, client_id: str) -> NewOrder:
        return NewOrder(
            self.symbol,
            Side.SELL,
            OrderType.LIMIT_MAKER,
            quantity=quantity,
            price=price,
            client_order_id=client_id,
        )

    def _taken(self, events: Iterable[Event]) -> list[Taken]:
        return [
            Taken(
                order_id=event.order.order_id,
                side=event.order.side,
                type=event.order.type,
                price=event.last_price,
                quantity=event.last_quantity,
                commission=event.commission,
                commission_asset=event.commission_asset or "",
                is_maker=event.is_maker,
                at_ms=event.at_ms,
                mid=self.mid,
                half=self.half,
            )
            for event in events
            if isinstance(event, OrderChanged) and event.last_quantity
        ]

    def _down(self, price: Decimal) -> Decimal:
        return _on_grid(price, self.instrument.price.step, ROUND_FLOOR)

    def _up(self, price: Decimal) -> Decimal:
        return _on_grid(price, self.instrument.price.step, ROUND_CEILING)


def _on_grid(price: Decimal, step: Decimal, rounding: str) -> Decimal:
    if not step:
        return price
    return (price / step).to_integral_value(rounding=rounding) * step
