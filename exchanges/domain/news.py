"""What a venue's user stream says besides order reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from exchanges.domain.orders import AssetBalance, ExecutionReport


@dataclass(frozen=True, slots=True)
class BalanceNews:
    """New absolute balances of the assets that changed; other assets are as they were."""

    balances: tuple[AssetBalance, ...]
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class ListNews:
    """An order list changed. `legs` are (venue order id, client order id) pairs."""

    symbol: str
    list_client_order_id: str
    venue_list_id: str
    is_done: bool
    reported_at: datetime
    legs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StreamGap:
    """News may be missing. Ask REST for the truth when `live`: the stream runs again from here.

    With `live` False the stream has just broken and a new one is being built.
    """

    reason: str
    live: bool
    at: datetime


News = ExecutionReport | BalanceNews | ListNews | StreamGap
