"""The one shape every venue gateway has. Calls are synchronous and never run in a transaction.

Every method may raise the errors of `exchanges.domain.errors`; writes raise exactly one of
Rejected, NotSent (RateLimited), OutcomeUnknown, CredentialsRefused when they do not return.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from exchanges.domain.books import Book
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import (
    AccountReport,
    ExecutionReport,
    OrderListReport,
    OrderListRequest,
    OrderRequest,
    Quote,
    VenueFill,
)
from exchanges.domain.venues import Venue


class ExchangeGateway(Protocol):
    venue: Venue

    def ping(self) -> None: ...

    def server_time(self) -> datetime: ...

    def get_ready(self) -> None:
        """Do what a write would have to wait for, so that what follows leaves at once."""
        ...

    def instruments(self) -> Sequence[tuple[Instrument, dict[str, object]]]:
        """Every symbol the venue lists, each with its raw exchangeInfo entry."""
        ...

    def quote(self, symbol: str) -> Quote: ...

    def depth(self, symbol: str) -> Book:
        """The best levels of the order book, 20 a side at most."""
        ...

    def last_price(self, symbol: str) -> Decimal: ...

    def account(self) -> AccountReport: ...

    def place_order(self, request: OrderRequest) -> ExecutionReport: ...

    def place_order_list(self, request: OrderListRequest) -> OrderListReport: ...

    def cancel_order(self, symbol: str, client_order_id: str) -> ExecutionReport: ...

    def cancel_order_list(self, symbol: str, list_client_order_id: str) -> OrderListReport: ...

    def query_order(self, symbol: str, client_order_id: str) -> ExecutionReport:
        """Raise OrderNotFound when the venue does not know the id (yet)."""
        ...

    def query_order_list(self, list_client_order_id: str) -> OrderListReport: ...

    def find_order(self, symbol: str, venue_order_id: str) -> ExecutionReport:
        """Ask by the venue's own id: of an order whose client order id nobody knows."""
        ...

    def find_order_list(self, venue_list_id: str) -> OrderListReport: ...

    def open_orders(self, symbol: str | None = None) -> Sequence[ExecutionReport]: ...

    def trades(
        self, symbol: str, *, venue_order_id: str | None = None, from_trade_id: str | None = None
    ) -> Sequence[VenueFill]: ...
