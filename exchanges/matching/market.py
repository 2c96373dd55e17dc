"""One symbol as the engine sees it: rules, outside market, and our orders that wait in it."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from exchanges.matching.book import OutsideBook, Tape
from exchanges.matching.enums import Side
from exchanges.matching.records import Order
from exchanges.matching.rules import PriceRange, SymbolRules


class Market:
    """`resting` orders are on the book; `watching` ones wait for a trigger price."""

    def __init__(self, rules: SymbolRules) -> None:
        self.rules = rules
        self.book = OutsideBook()
        self.tape = Tape()
        self.reference_price: Decimal | None = None
        self.price_range: PriceRange | None = None
        self.buys: list[Order] = []  # best price first, then oldest
        self.sells: list[Order] = []
        self.watching: dict[int, Order] = {}
        self.prints: deque[Decimal] = deque()  # trades whose triggers were not yet looked at

    def rest(self, order: Order) -> None:
        """Put an order behind those of its price that came before it."""
        rows = self.buys if order.side is Side.BUY else self.sells
        if order.side is Side.BUY:
            index = next((i for i, o in enumerate(rows) if o.price < order.price), len(rows))
        else:
            index = next((i for i, o in enumerate(rows) if o.price > order.price), len(rows))
        rows.insert(index, order)

    def remove(self, order: Order) -> None:
        """Take an order off the book or the watch list; nothing happens when it is on neither."""
        if self.watching.pop(order.order_id, None) is not None:
            return
        rows = self.buys if order.side is Side.BUY else self.sells
        for index, other in enumerate(rows):
            if other is order:
                del rows[index]
                return

    def print_trade(self, price: Decimal, quantity: Decimal, now_ms: int) -> int:
        """Record a trade on the tape and queue it for the triggers; return its trade id."""
        if self.watching:
            self.prints.append(price)
        return self.tape.record(price, quantity, now_ms)

    def price_now(self) -> Decimal | None:
        """Return the last trade price; before the first trade, the middle of the book."""
        if self.tape.last_price is not None:
            return self.tape.last_price
        bids, asks = self.book.bids, self.book.asks
        if bids and asks:
            return (bids[0][0] + asks[0][0]) / 2
        return bids[0][0] if bids else asks[0][0] if asks else None

    def price_for_filters(self, minutes: int, now_ms: int) -> Decimal | None:
        """Return the reference price, else the average over `minutes`, else the last price."""
        if self.reference_price is not None:
            return self.reference_price
        average = self.tape.average(minutes, now_ms)
        return average if average is not None else self.price_now()
