"""The spot REST calls we make: path, weight, and how far each may eat into the budget.

A successful order or cancel costs no weight since 2026-04-02; a failed one costs 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from exchanges.domain.orders import Purpose
from exchanges.venues.binance.client import Method
from exchanges.venues.shared.rate_budget import Share


@dataclass(frozen=True, slots=True)
class Endpoint:
    method: Method
    path: str
    weight: int = 0
    orders: int = 0
    share: Share = Share.NORMAL
    signed: bool = True

    @property
    def writes(self) -> bool:
        return self.method != "get"


PING = Endpoint("get", "ping", 1, signed=False)
TIME = Endpoint("get", "time", 1, share=Share.VITAL, signed=False)
EXCHANGE_INFO = Endpoint("get", "exchangeInfo", 20, share=Share.LISTING, signed=False)
BOOK_TICKER = Endpoint("get", "ticker/bookTicker", 2, signed=False)
DEPTH = Endpoint("get", "depth", 5, signed=False)  # for up to 100 levels
PRICE = Endpoint("get", "ticker/price", 2, signed=False)
ACCOUNT = Endpoint("get", "account", 20)
QUERY_ORDER = Endpoint("get", "order", 4, share=Share.VITAL)
QUERY_LIST = Endpoint("get", "orderList", 4, share=Share.VITAL)
OPEN_ORDERS_OF_SYMBOL = Endpoint("get", "openOrders", 6)
OPEN_ORDERS = Endpoint("get", "openOrders", 80, share=Share.LISTING)
TRADES = Endpoint("get", "myTrades", 20)
TRADES_OF_ORDER = Endpoint("get", "myTrades", 5, share=Share.VITAL)

ORDER = Endpoint("post", "order", orders=1, share=Share.ENTRY)
OCO = Endpoint("post", "orderList/oco", orders=2, share=Share.ENTRY)
OTOCO = Endpoint("post", "orderList/otoco", orders=3, share=Share.ENTRY)
CANCEL = Endpoint("delete", "order", share=Share.VITAL)
CANCEL_LIST = Endpoint("delete", "orderList", share=Share.VITAL)


def for_purpose(endpoint: Endpoint, purpose: Purpose) -> Endpoint:
    """Give what leaves or protects the share of the budget that no entry may touch."""
    return replace(endpoint, share=Share.VITAL if purpose.is_urgent else Share.ENTRY)
