"""Binance spot JSON to our words and back. Vendor spelling lives in this file only.

Figures leave as plain text (never a float, never an exponent) and arrive as `Decimal`.
Every reader raises `Unreadable` when the venue's text does not have the promised shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from exchanges.domain.books import Book, Level
from exchanges.domain.news import BalanceNews, ListNews
from exchanges.domain.orders import (
    AccountReport,
    AssetBalance,
    ExecutionReport,
    OrderListReport,
    OrderListRequest,
    OrderRequest,
    OrderType,
    Quote,
    Side,
    TimeInForce,
    VenueFill,
    VenueStatus,
)

Json = Mapping[str, Any]
P = ParamSpec("P")
R = TypeVar("R")

# Everything outside this alphabet would be percent-encoded on the way out while python-binance
# signs the raw text, which Binance has refused with -1022 since 2026-01-15.
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")

VENUE_TYPES = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.LIMIT_MAKER: "LIMIT_MAKER",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
}
OUR_TYPES = {word: type_ for type_, word in VENUE_TYPES.items()}

STATUSES = {
    "NEW": VenueStatus.OPEN,
    "PENDING_NEW": VenueStatus.PENDING,
    "PARTIALLY_FILLED": VenueStatus.PARTIALLY_FILLED,
    "FILLED": VenueStatus.FILLED,
    "CANCELED": VenueStatus.CANCELED,
    "PENDING_CANCEL": VenueStatus.OPEN,  # documented as unused; the order still lives
    "REJECTED": VenueStatus.REJECTED,
    "EXPIRED": VenueStatus.EXPIRED,
    "EXPIRED_IN_MATCH": VenueStatus.EXPIRED,
}
WITH_TIME_IN_FORCE = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
TAKES_AT_ONCE = frozenset({OrderType.MARKET, OrderType.LIMIT})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(ValueError):
    """The venue's text does not have the shape it promises."""


def _reader(read: Callable[P, R]) -> Callable[P, R]:
    @wraps(read)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return read(*args, **kwargs)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
            raise Unreadable(f"{read.__name__}: {type(error).__name__} {error}") from error

    return guarded


# ---- our words out ------------------------------------------------------------------------


def plain(figure: Decimal) -> str:
    """Write a Decimal without exponent. Raise TypeError for a float, ValueError for NaN."""
    if not isinstance(figure, Decimal):
        raise TypeError(f"{figure!r} is {type(figure).__name__}, not Decimal")
    if not figure.is_finite():
        raise ValueError(f"{figure} is no figure")
    return format(figure, "f")


def checked_id(client_id: str) -> str:
    """Return the id unchanged. Raise ValueError when the venue could not take it as it is."""
    if not CLIENT_ID.fullmatch(client_id):
        raise ValueError(f"client id {client_id!r} must be 1 to 36 of A-Z a-z 0-9 _ -")
    return client_id


def order_params(request: OrderRequest) -> dict[str, str]:
    """Write the parameters of POST /api/v3/order. Raise ValueError for an impossible request."""
    if (request.quantity is None) == (request.quote_quantity is None):
        raise ValueError("exactly one of quantity and quote_quantity is needed")
    if request.quote_quantity is not None and request.type is not OrderType.MARKET:
        raise ValueError("quote_quantity is for MARKET orders only")
    params = {
        "symbol": request.symbol,
        "side": request.side.value,
        "type": VENUE_TYPES[request.type],
        "newClientOrderId": checked_id(request.client_order_id),
        # Asked explicitly: without it all but MARKET and LIMIT answer a bare ACK.
        "newOrderRespType": "FULL" if request.type in TAKES_AT_ONCE else "RESULT",
    }
    if request.quote_quantity is not None:
        params["quoteOrderQty"] = plain(request.quote_quantity)
    params |= _shape(request)
    return params


def order_list_params(request: OrderListRequest) -> dict[str, str]:
    """Write the parameters of POST /api/v3/orderList/oco, or /otoco when `working` is set."""
    target, stop, working = request.target, request.stop, request.working
    if target.side is not stop.side or target.quantity != stop.quantity:
        raise ValueError("target and stop must have the same side and quantity")
    if {target.symbol, stop.symbol} != {request.symbol} or target.quantity is None:
        raise ValueError("the legs of a list share its symbol and have a quantity")
    above, below = (target, stop) if target.side is Side.SELL else (stop, target)
    params = {
        "symbol": request.symbol,
        "listClientOrderId": checked_id(request.list_client_order_id),
        "newOrderRespType": "RESULT",
    }
    if working is None:
        params |= {"side": target.side.value, "quantity": plain(target.quantity)}
        return params | _leg("above", above) | _leg("below", below)
    if working.symbol != request.symbol:
        raise ValueError("the legs of a list share its symbol")
    params |= _leg("working", working)
    params["workingSide"] = working.side.value
    params |= {"pendingSide": target.side.value, "pendingQuantity": plain(target.quantity)}
    return params | _leg("pendingAbove", above) | _leg("pendingBelow", below)


def _leg(prefix: str, leg: OrderRequest) -> dict[str, str]:
    venue_type = leg.type
    if prefix != "working" and venue_type is OrderType.LIMIT:
        venue_type = OrderType.LIMIT_MAKER  # the only plain limit an OCO takes
    params = {"Type": VENUE_TYPES[venue_type], "ClientOrderId": checked_id(leg.client_order_id)}
    for name, value in _shape(leg, venue_type).items():
        if name != "quantity" or prefix == "working":
            params[name[0].upper() + name[1:]] = value
    return {prefix + name: value for name, value in params.items()}


def _shape(request: OrderRequest, type_: OrderType | None = None) -> dict[str, str]:
    """Write quantity, prices and time in force: what this order type takes and no more."""
    type_ = type_ or request.type
    shape: dict[str, str] = {}
    if request.quantity is not None:
        shape["quantity"] = plain(request.quantity)
    if type_.has_limit_price:
        shape["price"] = plain(_needed(request.price, "price", type_))
    if type_.has_trigger:
        shape["stopPrice"] = plain(_needed(request.stop_price, "stop_price", type_))
    if type_ in WITH_TIME_IN_FORCE:
        shape["timeInForce"] = (request.time_in_force or TimeInForce.GTC).value
    return shape


def _needed(figure: Decimal | None, name: str, type_: OrderType) -> Decimal:
    if figure is None:
        raise ValueError(f"a {type_.value} order needs a {name}")
    return figure


# ---- the venue's words in: REST -----------------------------------------------------------


@_reader
def execution_report(
    reply: Json, *, placed_as: str | None = None, now: datetime | None = None
) -> ExecutionReport:
    """Read any order body of REST: place (ACK, RESULT, FULL), cancel, query, list leg.

    `placed_as` is the id we asked by, when we did. A cancelled order's `clientOrderId` is the
    cancel's own id, and the id it was placed under stands in `origClientOrderId`.
    """
    at = _first_time(reply, "transactTime", "updateTime", "time", "workingTime") or now
    if at is None:
        raise KeyError("transactTime")
    status = reply.get("status")
    list_id = reply.get("orderListId", -1)
    return ExecutionReport(
        symbol=reply["symbol"],
        client_order_id=placed_as or reply.get("origClientOrderId") or reply["clientOrderId"],
        venue_order_id=str(reply["orderId"]),
        status=None if status is None else STATUSES[status],
        reported_at=at,
        side=Side(reply["side"]) if "side" in reply else None,
        type=OUR_TYPES.get(reply.get("type", "")),
        quantity=_positive(reply.get("origQty")),
        price=_positive(reply.get("price")),
        stop_price=_positive(reply.get("stopPrice")),
        executed_quantity=_known(reply.get("executedQty")),
        executed_quote=_known(reply.get("cummulativeQuoteQty")),
        venue_list_id=None if list_id == -1 else str(list_id),
        reason=_reason(status, reply.get("expiryReason")),
        fills=tuple(_reply_fill(fill, at) for fill in reply.get("fills") or ()),
    )


def _reply_fill(fill: Json, at: datetime) -> VenueFill:
    """Read one fill of a FULL reply: they are what the new order took, so never as maker."""
    return VenueFill(
        trade_id=str(fill["tradeId"]),
        price=Decimal(fill["price"]),
        quantity=Decimal(fill["qty"]),
        commission=Decimal(fill["commission"]),
        commission_asset=fill["commissionAsset"],
        is_maker=False,
        traded_at=at,
    )


@_reader
def order_list_report(
    reply: Json, *, reports: Sequence[ExecutionReport] | None = None
) -> OrderListReport:
    """Read an order list body; `reports` stand in for the legs when it carries only their ids."""
    placed = {str(leg["orderId"]): leg["clientOrderId"] for leg in reply.get("orders", ())}
    if reports is None:
        reports = [
            execution_report(
                leg, placed_as=leg.get("origClientOrderId") or placed.get(str(leg["orderId"]))
            )
            for leg in reply.get("orderReports", ())
        ]
    return OrderListReport(
        symbol=reply["symbol"],
        list_client_order_id=reply["listClientOrderId"],
        venue_list_id=str(reply["orderListId"]),
        is_done=reply["listOrderStatus"] in ("ALL_DONE", "REJECT"),
        reported_at=from_ms(reply["transactionTime"]),
        reports=tuple(reports),
    )


@_reader
def list_legs(reply: Json) -> list[tuple[str, str]]:
    """Return (venue order id, client order id) of each leg of an order list body."""
    return [(str(leg["orderId"]), leg["clientOrderId"]) for leg in reply["orders"]]


@_reader
def trade(row: Json) -> VenueFill:
    """Read one row of GET /api/v3/myTrades."""
    return VenueFill(
        trade_id=str(row["id"]),
        price=Decimal(row["price"]),
        quantity=Decimal(row["qty"]),
        commission=Decimal(row["commission"]),
        commission_asset=row["commissionAsset"],
        is_maker=bool(row["isMaker"]),
        traded_at=from_ms(row["time"]),
        venue_order_id=str(row.get("orderId", "")),
    )


@_reader
def account_report(reply: Json, *, now: datetime) -> AccountReport:
    """Read GET /api/v3/account. Rates are fractions; the older fields count in bps."""
    rates = reply.get("commissionRates") or {}
    maker = rates.get("maker", Decimal(reply.get("makerCommission", 0)) / 10_000)
    taker = rates.get("taker", Decimal(reply.get("takerCommission", 0)) / 10_000)
    return AccountReport(
        can_trade=bool(reply["canTrade"]),
        maker_rate=Decimal(maker),
        taker_rate=Decimal(taker),
        balances=tuple(
            AssetBalance(row["asset"], Decimal(row["free"]), Decimal(row["locked"]))
            for row in reply["balances"]
        ),
        reported_at=now,
    )


@_reader
def quote(reply: Json, *, now: datetime) -> Quote:
    """Read a bookTicker body. Spot's carries no time of its own."""
    return Quote(
        symbol=reply["symbol"],
        bid=Decimal(reply["bidPrice"]),
        bid_quantity=Decimal(reply["bidQty"]),
        ask=Decimal(reply["askPrice"]),
        ask_quantity=Decimal(reply["askQty"]),
        received_at=now,
    )


@_reader
def book(reply: Json, *, symbol: str, now: datetime) -> Book:
    """Read a depth body, of REST or of a partial depth stream: spot's do not name their symbol.

    Futures' partial depth has the fields of a change, with times.
    """
    bids, asks = ("bids", "asks") if "bids" in reply else ("b", "a")
    at_ms = reply.get("T") or reply.get("E")
    return Book(
        symbol=symbol,
        bids=_levels(reply[bids]),
        asks=_levels(reply[asks]),
        received_at=now,
        venue_at=from_ms(at_ms) if at_ms else None,
    )


def _levels(rows: Sequence[Sequence[str]]) -> tuple[Level, ...]:
    return tuple((Decimal(row[0]), Decimal(row[1])) for row in rows)


@_reader
def stream_quote(event: Json, *, now: datetime) -> Quote:
    """Read a bookTicker event. Futures' carries times, spot's none."""
    at_ms = event.get("T") or event.get("E")
    return Quote(
        symbol=event["s"],
        bid=Decimal(event["b"]),
        bid_quantity=Decimal(event["B"]),
        ask=Decimal(event["a"]),
        ask_quantity=Decimal(event["A"]),
        received_at=now,
        venue_at=from_ms(at_ms) if at_ms else None,
    )


@_reader
def last_price(reply: Json) -> Decimal:
    return Decimal(reply["price"])


@_reader
def server_time(reply: Json) -> datetime:
    return from_ms(reply["serverTime"])


@_reader
def rate_limits(reply: Json) -> dict[str, int]:
    """Return exchangeInfo's limits as 'weight', 'orders_10s' and 'orders_day', where given."""
    names = {
        ("REQUEST_WEIGHT", "MINUTE", 1): "weight",
        ("ORDERS", "SECOND", 10): "orders_10s",
        ("ORDERS", "DAY", 1): "orders_day",
    }
    found: dict[str, int] = {}
    for row in reply.get("rateLimits", ()):
        name = names.get((row["rateLimitType"], row["interval"], int(row["intervalNum"])))
        if name is not None:
            found[name] = int(row["limit"])
    return found


# ---- the venue's words in: user stream ----------------------------------------------------


@_reader
def stream_report(event: Json) -> ExecutionReport:
    """Read an `executionReport` event, with its fill when it tells of a trade."""
    order_type = OUR_TYPES.get(event["o"])
    return ExecutionReport(
        symbol=event["s"],
        client_order_id=event.get("C") or event["c"],
        venue_order_id=str(event["i"]),
        status=STATUSES[event["X"]],
        reported_at=from_ms(event["T"]),
        side=Side(event["S"]),
        type=order_type,
        quantity=_positive(event["q"]),
        price=_positive(event["p"]),
        stop_price=_positive(event.get("P")),
        executed_quantity=Decimal(event["z"]),
        executed_quote=_known(event.get("Z")),
        venue_list_id=None if event.get("g", -1) == -1 else str(event["g"]),
        reason=_reason(event["X"], event.get("eR"), event.get("r")),
        fills=_stream_fills(event),
    )


def _stream_fills(event: Json) -> tuple[VenueFill, ...]:
    # A TRADE without quantity, price or number has been seen (self-trade prevention, corrections
    # at the venue). It is no fill to book: the cumulative figures tell, and REST has the trades.
    if int(event["t"]) < 0 or not Decimal(event["l"]) or not Decimal(event["L"]):
        return ()
    return (
        VenueFill(
            trade_id=str(event["t"]),
            price=Decimal(event["L"]),
            quantity=Decimal(event["l"]),
            commission=Decimal(event.get("n") or "0"),
            commission_asset=event.get("N") or "",
            is_maker=bool(event["m"]),
            traded_at=from_ms(event["T"]),
        ),
    )


@_reader
def balance_news(event: Json) -> BalanceNews:
    """Read an `outboundAccountPosition` event."""
    return BalanceNews(
        balances=tuple(
            AssetBalance(row["a"], Decimal(row["f"]), Decimal(row["l"])) for row in event["B"]
        ),
        reported_at=from_ms(event.get("u") or event["E"]),
    )


@_reader
def list_news(event: Json) -> ListNews:
    """Read a `listStatus` event."""
    return ListNews(
        symbol=event["s"],
        list_client_order_id=event["C"],
        venue_list_id=str(event["g"]),
        is_done=event["L"] in ("ALL_DONE", "REJECT"),
        reported_at=from_ms(event["T"]),
        legs=tuple((str(leg["i"]), leg["c"]) for leg in event.get("O", ())),
    )


# ---- small parts --------------------------------------------------------------------------


def from_ms(stamp: int | str) -> datetime:
    """Read an epoch stamp in milliseconds as aware UTC, without going through a float."""
    return EPOCH + timedelta(milliseconds=int(stamp))


def _first_time(reply: Json, *names: str) -> datetime | None:
    for name in names:
        stamp = reply.get(name)
        if stamp is not None and int(stamp) > 0:
            return from_ms(stamp)
    return None


def _positive(figure: str | None) -> Decimal | None:
    """Read a figure whose zero means 'does not apply' (the price of a market order)."""
    value = Decimal(figure) if figure is not None else None
    return value if value else None


def _known(figure: str | None) -> Decimal | None:
    """Read a cumulative figure; below zero the venue says 'not available' (old orders)."""
    value = Decimal(figure) if figure is not None else None
    return value if value is not None and value >= 0 else None


def _reason(status: str | None, *words: str | None) -> str:
    for word in words:
        if word and word != "NONE":
            return word
    return status if status == "EXPIRED_IN_MATCH" else ""
