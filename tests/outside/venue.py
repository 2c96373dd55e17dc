"""A small strict stand-in for Binance spot, written from the public protocol alone.

    python venue.py --port 9901 --log venue.jsonl

REST below /api/v3, the WebSocket API at /ws-api/v3, market streams at /ws and /stream. Faults,
prices and acts "by hand" are asked for at POST /control. Every request, order, fill, balance and
price goes to the log as one JSON line; `judge.py` reads nothing else. Nothing is shared with the
product.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

KEY, SECRET = "simulator-key", "simulator-secret"
TICK, STEP, MIN_NOTIONAL = Decimal("0.01"), Decimal("0.0001"), Decimal(5)
FEE = Decimal("0.001")
CONDITIONAL = {"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"}
STOPS = {"STOP_LOSS", "STOP_LOSS_LIMIT"}
OPEN = {"NEW", "PARTIALLY_FILLED", "PENDING_NEW"}
CLIENT_ID = re.compile(r"^[a-zA-Z0-9-_]{1,36}$")
MAX_CONDITIONAL = 5
HTML = "<html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"


def text(value: Decimal) -> str:
    return format(value.quantize(Decimal("0.00000001")), "f")


class Refused(Exception):
    """An answer with a code, as the venue gives it."""

    def __init__(self, code: int, message: str, status: int = 400, retry: int = 0) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.retry = code, message, status, retry


@dataclass
class Order:
    id: int
    symbol: str
    side: str
    type: str
    quantity: Decimal
    client_id: str
    price: Decimal = Decimal(0)
    stop: Decimal = Decimal(0)
    tif: str = "GTC"
    list_id: int = -1
    status: str = "NEW"
    executed: Decimal = Decimal(0)
    quote: Decimal = Decimal(0)
    original_id: str = ""
    triggered: bool = False
    created: float = 0.0
    updated: float = 0.0
    hidden_until: float = 0.0
    pending_until: float = 0.0
    reason: str = ""
    fills: list[dict[str, Any]] = field(default_factory=list)

    @property
    def left(self) -> Decimal:
        return self.quantity - self.executed

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_conditional(self) -> bool:
        return self.type in CONDITIONAL and not self.triggered


@dataclass
class OrderList:
    id: int
    symbol: str
    client_id: str
    contingency: str
    orders: list[int]
    pending: list[int] = field(default_factory=list)
    created: float = 0.0


@dataclass
class Fault:
    """Strikes `times` requests of one kind in one symbol, from `after` skipped ones on."""

    kind: str
    ops: set[str]
    symbol: str
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    share: Decimal = Decimal("0.4")
    price: Decimal = Decimal(0)
    until: float = 0.0
    status: int = 0
    code: int = 0
    message: str = ""
    chance: float = 1.0


@dataclass
class Market:
    symbol: str
    price: Decimal
    update: int = 1
    trade: int = 1

    @property
    def bid(self) -> Decimal:
        return self.price - TICK

    @property
    def ask(self) -> Decimal:
        return self.price + TICK


class Venue:
    def __init__(self, symbols: list[str], log: TextIO) -> None:
        self.markets = {symbol: Market(symbol, Decimal(100)) for symbol in symbols}
        self.total: dict[str, Decimal] = {"USDT": Decimal(1_000_000)}
        self.orders: dict[int, Order] = {}
        self.lists: dict[int, OrderList] = {}
        self.trades: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.skew = 0.0
        self.down_until = 0.0
        self.next_id = 1000
        self.log_file = log
        self.users: dict[web.WebSocketResponse, int] = {}
        self.streams: dict[web.WebSocketResponse, tuple[set[str], bool]] = {}
        self.modes: dict[str, tuple[str, float]] = {}
        self.lags: dict[tuple[str, str], float] = {}
        self.frozen: dict[tuple[str, str], Any] = {}
        self.trigger_faults: dict[str, str] = {}
        self.tasks: set[asyncio.Task[Any]] = set()

    # --- log ---------------------------------------------------------------------------------

    def log(self, event: str, **fields: Any) -> None:
        line = {"t": round(time.time(), 4), "ev": event, **fields}
        self.log_file.write(json.dumps(line, default=str) + "\n")
        self.log_file.flush()

    def spawn(self, work: Awaitable[Any]) -> None:
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def now_ms(self) -> int:
        return int((time.time() + self.skew) * 1000)

    def number(self) -> int:
        self.next_id += 1
        return self.next_id

    # --- balances ------------------------------------------------------------------------------

    def base(self, symbol: str) -> str:
        return symbol.removesuffix("USDT")

    def locked(self, asset: str) -> Decimal:
        sums: dict[Any, Decimal] = {}
        for order in self.orders.values():
            if order.status not in {"NEW", "PARTIALLY_FILLED"}:
                continue
            if order.side == "SELL" and self.base(order.symbol) == asset:
                need = order.left
            elif order.side == "BUY" and asset == "USDT":
                need = order.left * (order.price or self.markets[order.symbol].ask)
            else:
                continue
            group = ("list", order.list_id) if order.list_id >= 0 else ("one", order.id)
            sums[group] = max(sums.get(group, Decimal(0)), need)
        return sum(sums.values(), Decimal(0))

    def free(self, asset: str) -> Decimal:
        return self.total.get(asset, Decimal(0)) - self.locked(asset)

    def move(self, asset: str, amount: Decimal, why: str) -> None:
        self.total[asset] = self.total.get(asset, Decimal(0)) + amount
        self.log("balance", asset=asset, total=self.total[asset], change=amount, why=why)

    # --- user stream ---------------------------------------------------------------------------

    def mode(self, symbol: str) -> str:
        for key in (symbol, "*"):
            mode, until = self.modes.get(key, ("", 0.0))
            if until > time.time():
                return mode
        return ""

    def tell(self, symbol: str, event: dict[str, Any]) -> None:
        mode = self.mode(symbol)
        if mode == "silent":
            return
        times = 2 if mode == "double" else 1
        for _ in range(times):
            delay = random.uniform(0, 0.6) if mode == "shuffle" else 0.0
            if mode == "late":
                delay = 3.0
            for socket, number in list(self.users.items()):
                frame = json.dumps({"subscriptionId": number, "event": event})
                self.spawn(self.deliver(socket, frame, delay))

    async def deliver(self, socket: web.WebSocketResponse, frame: str, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        try:
            await socket.send_str(frame)
        except (ConnectionError, RuntimeError):
            self.users.pop(socket, None)

    def report(self, order: Order, kind: str, fill: dict[str, Any] | None = None) -> None:
        self.log(
            "order", id=order.id, symbol=order.symbol, side=order.side, type=order.type,
            status=order.status, quantity=order.quantity, executed=order.executed,
            price=order.price, stop=order.stop, cid=order.client_id, orig=order.original_id,
            list=order.list_id, triggered=order.triggered, why=order.reason, x=kind,
        )  # fmt: skip
        now = self.now_ms()
        event: dict[str, Any] = {
            "e": "executionReport", "E": now, "s": order.symbol, "c": order.client_id,
            "S": order.side, "o": order.type, "f": order.tif, "q": text(order.quantity),
            "p": text(order.price), "P": text(order.stop), "F": "0.00000000", "g": order.list_id,
            "C": order.original_id, "x": kind, "X": order.status, "r": "NONE", "i": order.id,
            "l": "0.00000000", "z": text(order.executed), "L": "0.00000000", "n": "0", "N": None,
            "T": now, "t": -1, "I": self.number(), "w": order.status in {"NEW", "PARTIALLY_FILLED"}
            and not order.is_conditional, "m": False, "M": False, "O": int(order.created * 1000),
            "Z": text(order.quote), "Y": "0.00000000", "Q": "0.00000000", "V": "NONE",
        }  # fmt: skip
        if order.reason:
            event["eR"] = order.reason
        if fill:
            event |= {
                "l": fill["qty"], "L": fill["price"], "n": fill["commission"],
                "N": fill["commissionAsset"], "t": fill["tradeId"], "m": fill["maker"],
                "Y": text(Decimal(fill["qty"]) * Decimal(fill["price"])), "M": True,
            }  # fmt: skip
        self.tell(order.symbol, event)

    def position(self, symbol: str) -> None:
        assets = (self.base(symbol), "USDT")
        rows = [{"a": a, "f": text(self.free(a)), "l": text(self.locked(a))} for a in assets]
        now = self.now_ms()
        self.tell(symbol, {"e": "outboundAccountPosition", "E": now, "u": now, "B": rows})

    def list_event(self, group: OrderList, done: bool) -> None:
        rows = [
            {"s": group.symbol, "i": i, "c": self.orders[i].original_id or self.orders[i].client_id}
            for i in group.orders
        ]
        self.tell(group.symbol, {
            "e": "listStatus", "E": self.now_ms(), "s": group.symbol, "g": group.id,
            "c": group.contingency, "l": "ALL_DONE" if done else "EXEC_STARTED",
            "L": "ALL_DONE" if done else "EXECUTING", "r": "NONE", "C": group.client_id,
            "T": self.now_ms(), "O": rows,
        })  # fmt: skip

    # --- the engine ------------------------------------------------------------------------------

    def settle(self, order: Order, status: str, reason: str = "") -> None:
        order.status, order.reason, order.updated = status, reason, time.time()
        self.report(order, "EXPIRED" if status in {"EXPIRED", "REJECTED"} else status)

    def fill(self, order: Order, quantity: Decimal, price: Decimal, maker: bool = False) -> None:
        base, value = self.base(order.symbol), quantity * price
        trade = self.number()
        if order.side == "BUY":
            fee, asset = quantity * FEE, base
        else:
            fee, asset = value * FEE, "USDT"
        order.executed += quantity
        order.quote += value
        order.status = "FILLED" if order.left <= 0 else "PARTIALLY_FILLED"
        order.updated = time.time()
        sign = 1 if order.side == "BUY" else -1
        self.move(base, sign * quantity - (fee if asset == base else 0), f"order {order.id}")
        self.move("USDT", -sign * value - (fee if asset == "USDT" else 0), f"order {order.id}")
        row = {
            "price": text(price), "qty": text(quantity), "commission": text(fee),
            "commissionAsset": asset, "tradeId": trade, "maker": maker,
        }  # fmt: skip
        order.fills.append(row)
        self.trades.append({
            "symbol": order.symbol, "id": trade, "orderId": order.id, "orderListId": order.list_id,
            "price": text(price), "qty": text(quantity), "quoteQty": text(value),
            "commission": text(fee), "commissionAsset": asset, "time": self.now_ms(),
            "isBuyer": order.side == "BUY", "isMaker": maker, "isBestMatch": True,
        })  # fmt: skip
        self.log(
            "fill", order=order.id, symbol=order.symbol, side=order.side, quantity=quantity,
            price=price, fee=fee, fee_asset=asset, cid=order.client_id,
        )  # fmt: skip
        self.report(order, "TRADE", row)

    def siblings(self, order: Order) -> list[Order]:
        if order.list_id < 0:
            return []
        group = self.lists[order.list_id]
        return [self.orders[i] for i in group.orders if i != order.id]

    def after_fill(self, order: Order) -> None:
        if order.list_id >= 0:
            group = self.lists[order.list_id]
            if order.id in group.orders[: len(group.orders) - len(group.pending)]:
                if group.pending and order.status == "FILLED":
                    self.activate(group)
                elif not group.pending:
                    self.expire_siblings(order)
            else:
                self.expire_siblings(order)
            if not any(self.orders[i].is_open for i in group.orders):
                self.list_event(group, done=True)
        self.position(order.symbol)

    def expire_siblings(self, order: Order) -> None:
        for other in self.siblings(order):
            if other.is_open:
                self.settle(other, "EXPIRED", "OCO_TRIGGER")

    def activate(self, group: OrderList) -> None:
        legs = [self.orders[i] for i in group.pending]
        short = self.free(self.base(group.symbol)) < legs[0].quantity
        for leg in legs:
            if short:
                self.settle(leg, "EXPIRED", "REJECTED")
            else:
                leg.status, leg.updated = "NEW", time.time()
                self.report(leg, "NEW")
        self.match(group.symbol)

    def trigger(self, order: Order) -> None:
        market = self.markets[order.symbol]
        order.triggered = True
        self.log("triggered", id=order.id, symbol=order.symbol, stop=order.stop)
        self.expire_siblings(order)
        fault = self.trigger_faults.pop(order.symbol, "")
        if fault == "reject":
            self.settle(order, "EXPIRED", "REJECTED")
        elif fault == "partial":
            part = (order.left * Decimal("0.4")).quantize(STEP, ROUND_DOWN)
            self.fill(order, part, market.bid)
            self.settle(order, "EXPIRED", "INSUFFICIENT_LIQUIDITY")
        elif order.type == "STOP_LOSS" or market.bid >= order.price:
            self.fill(order, order.left, market.bid)
        else:
            self.report(order, "NEW")
        self.after_fill(order)

    def match(self, symbol: str) -> None:
        market = self.markets[symbol]
        for order in list(self.orders.values()):
            if order.symbol != symbol or order.status not in {"NEW", "PARTIALLY_FILLED"}:
                continue
            if order.is_conditional:
                falls = order.type in STOPS if order.side == "SELL" else order.type not in STOPS
                passed = market.price <= order.stop if falls else market.price >= order.stop
                if passed:
                    self.trigger(order)
            elif order.price:
                crossed = (
                    market.bid >= order.price if order.side == "SELL" else market.ask <= order.price
                )
                if crossed:
                    self.fill(order, order.left, order.price, maker=True)
                    self.after_fill(order)

    def set_price(self, symbol: str, price: Decimal) -> None:
        market = self.markets[symbol]
        market.price = price
        self.log("price", symbol=symbol, price=price)
        self.publish(symbol, trade=True)
        self.match(symbol)

    # --- checks --------------------------------------------------------------------------------

    def check_client_id(self, value: str) -> str:
        if not value:
            return "x-" + uuid.uuid4().hex[:22]
        if not CLIENT_ID.match(value):
            raise Refused(-1100, "Illegal characters found in parameter 'newClientOrderId'")
        if any(o.is_open and o.client_id == value for o in self.orders.values()):
            raise Refused(-2010, "Duplicate order sent.")
        return value

    def make(self, p: dict[str, str], prefix: str, side: str, quantity: str) -> Order:
        def get(name: str) -> str:
            key = prefix + name if prefix else name[0].lower() + name[1:]
            return p.get(key, "")

        kind = get("Type")
        if kind not in {"MARKET", "LIMIT", "LIMIT_MAKER"} | CONDITIONAL:
            raise Refused(-1116, "Invalid orderType.")
        symbol = p["symbol"]
        amount = Decimal(quantity or "0")
        if not quantity and kind == "MARKET" and p.get("quoteOrderQty"):
            quote = Decimal(p["quoteOrderQty"])
            amount = (quote / self.markets[symbol].ask).quantize(STEP, ROUND_DOWN)
        elif not quantity:
            raise Refused(-1102, "Mandatory parameter 'quantity' was not sent.")
        price, stop = Decimal(get("Price") or "0"), Decimal(get("StopPrice") or "0")
        needs_price = kind in {"LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"}
        if needs_price != bool(price):
            raise Refused(-1102 if needs_price else -1106, "Parameter 'price' is wrong here.")
        if (kind in CONDITIONAL) != bool(stop):
            raise Refused(-1102, "Parameter 'stopPrice' is wrong here.")
        tif_needed = kind in {"LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"}
        if tif_needed and not get("TimeInForce"):
            raise Refused(-1102, "Mandatory parameter 'timeInForce' was not sent.")
        if not tif_needed and get("TimeInForce"):
            raise Refused(-1106, "Parameter 'timeInForce' sent when not required.")
        if amount < STEP or amount % STEP:
            raise Refused(-1013, "Filter failure: LOT_SIZE")
        if price % TICK or stop % TICK:
            raise Refused(-1013, "Filter failure: PRICE_FILTER")
        worth = amount * (price or stop or self.markets[symbol].price)
        if worth < MIN_NOTIONAL:
            raise Refused(-1013, "Filter failure: NOTIONAL")
        name = "ClientOrderId" if prefix else "newClientOrderId"
        client_id = self.check_client_id(p.get(prefix + name if prefix else name, ""))
        now = time.time()
        return Order(
            self.number(), symbol, side, kind, amount, client_id, price, stop,
            get("TimeInForce") or "GTC", created=now, updated=now,
        )  # fmt: skip

    def room(self, symbol: str, more: int) -> None:
        taken = sum(
            1 for o in self.orders.values() if o.symbol == symbol and o.is_open and o.is_conditional
        )
        if taken + more > MAX_CONDITIONAL:
            raise Refused(-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")

    def funds(self, order: Order) -> None:
        if order.side == "SELL":
            enough = self.free(self.base(order.symbol)) >= order.quantity
        else:
            price = order.price or self.markets[order.symbol].ask
            enough = self.free("USDT") >= order.quantity * price
        if not enough:
            raise Refused(-2010, "Account has insufficient balance for requested action.")

    def immediate(self, order: Order) -> None:
        if order.type not in CONDITIONAL:
            return
        price = self.markets[order.symbol].price
        falls = (order.type in STOPS) == (order.side == "SELL")
        if price <= order.stop if falls else price >= order.stop:
            raise Refused(-2010, "Stop price would trigger immediately.")

    # --- acts ------------------------------------------------------------------------------------

    def place(self, p: dict[str, str], part: Decimal | None = None) -> dict[str, Any]:
        order = self.make(p, "", p.get("side", ""), p.get("quantity", ""))
        if order.is_conditional:
            self.room(order.symbol, 1)
            self.immediate(order)
        market = self.markets[order.symbol]
        if order.type == "LIMIT_MAKER":
            buys = order.side == "BUY"
            if market.ask <= order.price if buys else market.bid >= order.price:
                raise Refused(-2010, "Order would immediately match and take.")
        self.funds(order)
        self.orders[order.id] = order
        self.report(order, "NEW")
        at = market.ask if order.side == "BUY" else market.bid
        takes = order.type == "MARKET" or (
            order.type == "LIMIT"
            and (market.ask <= order.price if order.side == "BUY" else market.bid >= order.price)
        )
        if takes:
            quantity = order.left
            if part is not None:
                quantity = (quantity * part).quantize(STEP, ROUND_DOWN)
            self.fill(order, quantity, at)
            if order.left > 0:
                self.settle(order, "EXPIRED", "INSUFFICIENT_LIQUIDITY")
            self.after_fill(order)
        elif order.type == "LIMIT" and order.tif in {"IOC", "FOK"}:
            self.settle(order, "EXPIRED", f"UNFILLED_{order.tif}_ORDER_EXPIRED")
        self.position(order.symbol)
        style = p.get("newOrderRespType") or (
            "FULL" if order.type in {"MARKET", "LIMIT"} else "ACK"
        )
        return self.answer(order, style)

    def answer(self, order: Order, style: str = "FULL") -> dict[str, Any]:
        row: dict[str, Any] = {
            "symbol": order.symbol, "orderId": order.id, "orderListId": order.list_id,
            "clientOrderId": order.client_id, "transactTime": self.now_ms(),
        }  # fmt: skip
        if style == "ACK":
            return row
        status = order.status
        if order.pending_until > time.time() and status == "NEW":
            status = "PENDING_NEW"
        row |= {
            "price": text(order.price), "origQty": text(order.quantity),
            "executedQty": text(order.executed), "origQuoteOrderQty": "0.00000000",
            "cummulativeQuoteQty": text(order.quote), "status": status,
            "timeInForce": order.tif, "type": order.type, "side": order.side,
            "workingTime": int(order.created * 1000), "selfTradePreventionMode": "NONE",
        }  # fmt: skip
        if order.stop:
            row["stopPrice"] = text(order.stop)
        if order.reason:
            row["expiryReason"] = order.reason
        if style == "FULL" and order.type in {"MARKET", "LIMIT"}:
            keys = ("price", "qty", "commission", "commissionAsset", "tradeId")
            row["fills"] = [{k: f[k] for k in keys} for f in order.fills]
        return row

    def shown(self, order: Order) -> dict[str, Any]:
        row = self.answer(order, "RESULT")
        row.pop("transactTime")
        row |= {
            "stopPrice": text(order.stop), "icebergQty": "0.00000000",
            "time": int(order.created * 1000), "updateTime": int(order.updated * 1000),
            "isWorking": not order.is_conditional and order.status != "PENDING_NEW",
        }  # fmt: skip
        return row

    def place_list(self, p: dict[str, str], kind: str) -> dict[str, Any]:
        symbol = p["symbol"]
        price = self.markets[symbol].price
        list_cid = p.get("listClientOrderId", "") or "l-" + uuid.uuid4().hex[:20]
        for group in self.lists.values():
            alive = any(self.orders[i].is_open for i in group.orders)
            if group.client_id == list_cid and alive:
                raise Refused(-2010, "Duplicate order sent.")
        working: list[Order] = []
        pending: list[Order] = []
        if kind == "oco":
            working = [
                self.make(p, "above", p["side"], p.get("quantity", "")),
                self.make(p, "below", p["side"], p.get("quantity", "")),
            ]
            above, below = working
            if p["side"] == "SELL":
                stops_right = below.type in STOPS and above.type not in STOPS
            else:
                stops_right = above.type in STOPS and below.type not in STOPS
            if not stops_right:
                raise Refused(-1165, "Leg types are not correct.")
            if (above.stop or above.price) <= price or (below.stop or below.price) >= price:
                raise Refused(
                    -2010, "The relationship of the prices for the orders is not correct."
                )
            self.funds(above)
        else:
            working = [self.make(p, "working", p["workingSide"], p.get("workingQuantity", ""))]
            names = ["pendingAbove", "pendingBelow"] if kind == "otoco" else ["pending"]
            more = p.get("pendingQuantity", "")
            pending = [self.make(p, name, p["pendingSide"], more) for name in names]
            self.funds(working[0])
        ids = [o.client_id for o in working + pending]
        if len(set(ids)) != len(ids):
            raise Refused(-2010, "Duplicate order sent.")
        self.room(symbol, sum(o.is_conditional for o in working + pending))
        number = self.number()
        group = OrderList(
            number, symbol, list_cid, "OCO" if kind == "oco" else "OTO",
            [o.id for o in working + pending], [o.id for o in pending], time.time(),
        )  # fmt: skip
        self.lists[number] = group
        for order in working + pending:
            order.list_id = number
            order.status = "PENDING_NEW" if order in pending else "NEW"
            self.orders[order.id] = order
            self.report(order, "NEW")
        reply = self.list_reply(group)
        self.list_event(group, done=False)
        self.match(symbol)
        self.position(symbol)
        return reply

    def list_reply(self, group: OrderList, reports: bool = True) -> dict[str, Any]:
        orders = [self.orders[i] for i in group.orders]
        alive = any(o.is_open for o in orders)
        row: dict[str, Any] = {
            "orderListId": group.id, "contingencyType": group.contingency,
            "listStatusType": "EXEC_STARTED" if alive else "ALL_DONE",
            "listOrderStatus": "EXECUTING" if alive else "ALL_DONE",
            "listClientOrderId": group.client_id, "transactionTime": self.now_ms(),
            "symbol": group.symbol, "orders": [
                {"symbol": o.symbol, "orderId": o.id, "clientOrderId": o.client_id} for o in orders
            ],
        }  # fmt: skip
        if reports:
            row["orderReports"] = [self.answer(o, "RESULT") for o in orders]
        return row

    def find(self, p: dict[str, str], cid_key: str = "origClientOrderId") -> Order | None:
        wanted, cid = p.get("orderId"), p.get(cid_key)
        if not wanted and not cid:
            raise Refused(-1102, "Param 'origClientOrderId' or 'orderId' must be sent.")
        found = [
            o
            for o in self.orders.values()
            if o.symbol == p.get("symbol")
            and (not wanted or str(o.id) == wanted)
            and (not cid or cid in (o.client_id, o.original_id))
        ]
        return found[-1] if found else None

    def cancel_order(self, order: Order, new_id: str = "") -> None:
        order.original_id, order.client_id = order.client_id, new_id or uuid.uuid4().hex[:22]
        order.status, order.updated = "CANCELED", time.time()
        self.report(order, "CANCELED")

    def cancel_with_list(self, order: Order, new_id: str = "") -> dict[str, Any]:
        if order.list_id < 0:
            self.cancel_order(order, new_id)
            self.position(order.symbol)
            return self.answer(order, "RESULT") | {"origClientOrderId": order.original_id}
        group = self.lists[order.list_id]
        for number in group.orders:
            leg = self.orders[number]
            if leg.is_open:
                self.cancel_order(leg, new_id if leg is order else "")
        self.list_event(group, done=True)
        self.position(order.symbol)
        reply = self.list_reply(group)
        for row in reply["orderReports"]:
            row["origClientOrderId"] = self.orders[row["orderId"]].original_id
        return reply

    def cancel(self, p: dict[str, str]) -> dict[str, Any]:
        order = self.find(p)
        if order is None or not order.is_open:
            raise Refused(-2011, "Unknown order sent.")
        if p.get("cancelRestrictions") == "ONLY_NEW" and order.status != "NEW":
            raise Refused(-2011, "Order was not canceled due to cancel restrictions.")
        return self.cancel_with_list(order, p.get("newClientOrderId", ""))

    def find_list(self, p: dict[str, str], key: str) -> OrderList | None:
        for group in reversed(self.lists.values()):
            if str(group.id) == p.get("orderListId") or (
                p.get(key) and group.client_id == p.get(key)
            ):
                return group
        return None

    def cancel_list(self, p: dict[str, str]) -> dict[str, Any]:
        group = self.find_list(p, "listClientOrderId")
        alive = [i for i in group.orders if self.orders[i].is_open] if group else []
        if group is None or not alive:
            raise Refused(-2011, "Unknown order list.")
        return self.cancel_with_list(self.orders[alive[0]])

    # --- market streams ------------------------------------------------------------------------

    def frames(self, symbol: str, trade: bool) -> list[tuple[str, dict[str, Any]]]:
        market, low, now = self.markets[symbol], symbol.lower(), self.now_ms()
        market.update += 1
        bids = [[text(market.bid - TICK * i), "500.0"] for i in range(5)]
        asks = [[text(market.ask + TICK * i), "500.0"] for i in range(5)]
        out: list[tuple[str, dict[str, Any]]] = [
            (f"{low}@bookTicker", {"u": market.update, "s": symbol, "b": text(market.bid),
                                   "B": "500.0", "a": text(market.ask), "A": "500.0"}),
        ]  # fmt: skip
        depth = {"lastUpdateId": market.update, "bids": bids, "asks": asks}
        kinds = ("depth20@100ms", "depth5@100ms", "depth20", "depth5")
        out.extend((f"{low}@{kind}", depth) for kind in kinds)
        if trade:
            market.trade += 1
            out.append((f"{low}@trade", {
                "e": "trade", "E": now, "s": symbol, "t": market.trade, "p": text(market.price),
                "q": "0.1", "T": now, "m": False, "M": True,
            }))  # fmt: skip
            out.append((f"{low}@aggTrade", {
                "e": "aggTrade", "E": now, "s": symbol, "a": market.trade, "p": text(market.price),
                "q": "0.1", "f": market.trade, "l": market.trade, "T": now, "m": False, "M": True,
            }))  # fmt: skip
        return out

    def publish(self, symbol: str, trade: bool = False) -> None:
        if not self.streams:
            return
        for name, data in self.frames(symbol, trade):
            for socket, (wanted, wrapped) in list(self.streams.items()):
                if name in wanted:
                    body = {"stream": name, "data": data} if wrapped else data
                    self.spawn(self.send_frame(socket, json.dumps(body)))

    async def send_frame(self, socket: web.WebSocketResponse, frame: str) -> None:
        try:
            await socket.send_str(frame)
        except (ConnectionError, RuntimeError):
            self.streams.pop(socket, None)

    async def ticker(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(0.25)
            turn += 1
            if self.down_until > time.time():
                continue
            for symbol in self.markets:
                self.publish(symbol, trade=turn % 4 == 0)


# --- the doors --------------------------------------------------------------------------------


def sniff(method: str, path: str, p: dict[str, str]) -> str:
    """Name what a request is about, the way faults are asked for."""
    if path.endswith("/order") and method == "POST":
        if p.get("type") == "MARKET":
            return "sell" if p.get("side") == "SELL" else "buy"
        return "stop" if p.get("type") in CONDITIONAL else "limit"
    if path.endswith(("/orderList/oco", "/order/oco")):
        return "oco"
    if path.endswith(("/orderList/otoco", "/orderList/oto")):
        return "otoco"
    if method == "DELETE":
        return "cancel"
    name = path.rsplit("/", 1)[-1]
    known = {
        "order": "query", "orderList": "query", "openOrders": "open", "openOrderList": "open",
        "account": "account", "myTrades": "trades", "allOrders": "all", "depth": "market",
        "bookTicker": "market", "price": "market", "cancelReplace": "replace",
    }  # fmt: skip
    return known.get(name, name)


class Door:
    """REST, with faults. The engine behind it knows nothing of them."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    def authenticate(self, request: web.Request, raw_body: str, p: dict[str, str]) -> None:
        if request.headers.get("X-MBX-APIKEY") != KEY:
            raise Refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        raw = request.rel_url.raw_query_string + raw_body
        payload, found = re.subn(r"&?signature=[^&]*", "", raw)
        if not found:
            raise Refused(-1102, "Mandatory parameter 'signature' was not sent.")
        right = hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, p.get("signature", "").lower()):
            raise Refused(-1022, "Signature for this request is not valid.")
        self.window(p)

    def window(self, p: dict[str, str]) -> None:
        if not p.get("timestamp", "").isdigit():
            raise Refused(-1102, "Mandatory parameter 'timestamp' was not sent.")
        stamp, wide = int(p["timestamp"]), float(p.get("recvWindow", "5000"))
        now = self.venue.now_ms()
        if wide > 60000:
            raise Refused(-1131, "recvWindow must be less than 60000.")
        if stamp >= now + 1000:
            raise Refused(-1021, "Timestamp was 1000ms ahead of the server's time.")
        if now - stamp > wide:
            raise Refused(-1021, "Timestamp for this request is outside of the recvWindow.")

    def strike(self, op: str, symbol: str) -> Fault | None:
        now = time.time()
        for fault in self.venue.faults:
            if fault.until and fault.until < now:
                continue
            if fault.times <= 0 or op not in fault.ops:
                continue
            if fault.symbol not in ("*", symbol) or random.random() > fault.chance:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        venue = self.venue
        started = time.time()
        if venue.down_until > started:
            if request.transport:
                request.transport.abort()
            raise web.HTTPServiceUnavailable
        raw_body = await request.text()
        p = dict(parse_qsl(raw_body, keep_blank_values=True))
        p |= dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
        path, method = request.path, request.method
        op = sniff(method, path, p)
        symbol = p.get("symbol", "")
        fault = self.strike(op, symbol)
        note = {
            k: v
            for k, v in p.items()
            if k not in {"signature", "timestamp", "symbol", "recvWindow", "newOrderRespType"}
        }
        quiet = op in {"time", "ping", "exchangeInfo", "klines", "market"} and not fault
        if not quiet:
            venue.log(
                "request", op=op, symbol=symbol, p=note, fault=fault.kind if fault else "",
                window=p.get("recvWindow"),
            )  # fmt: skip
        answer: web.StreamResponse
        try:
            answer, brief = await self.play(request, op, method, path, p, raw_body, fault)
        except Refused as refused:
            headers = {"Retry-After": str(refused.retry)} if refused.retry else {}
            brief = f"{refused.status} {refused.code} {refused.message}"
            body = {"code": refused.code, "msg": refused.message}
            answer = web.json_response(body, status=refused.status, headers=headers)
        except KeyError as missing:
            brief = f"400 -1102 {missing}"
            answer = web.json_response({"code": -1102, "msg": f"Missing {missing}"}, status=400)
        if not quiet:
            venue.log(
                "answer", op=op, symbol=symbol, brief=brief,
                took=round(time.time() - started, 3), p=note,
            )  # fmt: skip
        if brief == "cut" and request.transport:
            request.transport.abort()
        answer.headers["X-MBX-USED-WEIGHT-1M"] = "1"
        return answer

    async def play(
        self, request: web.Request, op: str, method: str, path: str, p: dict[str, str],
        raw_body: str, fault: Fault | None,
    ) -> tuple[web.StreamResponse, str]:  # fmt: skip
        venue, symbol = self.venue, p.get("symbol", "")
        kind = fault.kind if fault else ""
        cut = web.Response(status=503)
        if fault and kind == "lost":
            return cut, "cut"
        if fault and kind == "unknown_lost":
            raise Refused(-1007, "Timeout waiting for response from backend server.", 408)
        if fault and kind == "html_lost":
            return web.Response(status=502, text=HTML, content_type="text/html"), "502 html"
        if fault and kind == "waf":
            return web.Response(status=403, text=HTML, content_type="text/html"), "403 html"
        if fault and kind == "hang":
            await asyncio.sleep(fault.seconds or 12)
            return cut, "cut"
        if fault and kind == "weight":
            code = fault.status or 429
            raise Refused(-1003, "Too much request weight used.", code, int(fault.seconds) or 1)
        if fault and kind == "busy":
            raise Refused(-1008, "Server is currently overloaded with other requests.", 503)
        if fault and kind == "refused":
            raise Refused(fault.code, fault.message, fault.status or 400, int(fault.seconds))
        if fault and kind == "gap":
            venue.set_price(symbol, fault.price)
        if fault and kind == "late":
            await asyncio.sleep(fault.seconds or 2)
        if fault and kind == "cut_late":
            venue.spawn(self.later(fault.seconds or 0.8, op, method, path, p))
            return cut, "cut"
        if op not in {"time", "ping", "exchangeInfo", "klines", "market", "ticker", "24hr"}:
            self.authenticate(request, raw_body, p)
        part = fault.share if fault and kind == "partial" else None
        before = set(venue.orders)
        done = self.act(method, path, p, part)
        fresh = [venue.orders[i] for i in venue.orders.keys() - before]
        if fault and kind == "gap_after":
            venue.set_price(symbol, fault.price)
        if fault and kind in {"executed_cut", "late"}:
            return cut, "cut"
        if fault and kind == "executed_unknown":
            raise Refused(-1007, "Timeout waiting for response from backend server.", 408)
        if fault and kind == "executed_html":
            return web.Response(status=502, text=HTML, content_type="text/html"), "502 html"
        if fault and kind == "executed_empty":
            return web.Response(status=200, text="", content_type="application/json"), "200 empty"
        if fault and kind == "executed_torn":
            body = json.dumps(done)
            half = body[: len(body) // 2]
            return web.Response(status=200, text=half, content_type="application/json"), "200 torn"
        if fault and kind == "unseen":
            for order in fresh:
                order.hidden_until = time.time() + (fault.seconds or 6)
            raise Refused(-1007, "Timeout waiting for response from backend server.", 408)
        if fault and kind == "pending":
            for order in fresh:
                order.pending_until = time.time() + (fault.seconds or 2)
                for row in done.get("orderReports", []):
                    row["status"] = "PENDING_NEW"
        if fault and kind == "slow":
            await asyncio.sleep(fault.seconds or 12)
        brief = "200"
        if isinstance(done, dict):
            brief += f" {done.get('status') or done.get('listOrderStatus') or ''}"
        elif op == "open":
            brief += f" {len(done)} orders"
        return web.json_response(done), brief

    async def later(self, delay: float, op: str, method: str, path: str, p: dict[str, str]) -> None:
        """Execute what was cut off, when its window still allows it."""
        await asyncio.sleep(delay)
        try:
            self.window(p)
            self.act(method, path, p, None)
            brief = "executed"
        except Refused as refused:
            brief = f"{refused.code} {refused.message}"
        self.venue.log("arrived", op=op, symbol=p.get("symbol", ""), brief=brief)

    def act(self, method: str, path: str, p: dict[str, str], part: Decimal | None) -> Any:
        venue, name = self.venue, path.removeprefix("/api/v3/").removeprefix("/v3/")
        symbol = p.get("symbol", "")
        if symbol and symbol not in venue.markets:
            raise Refused(-1121, "Invalid symbol.")
        if name == "ping":
            return {}
        if name == "time":
            return {"serverTime": venue.now_ms()}
        if name == "exchangeInfo":
            return self.exchange_info(p)
        if name == "klines":
            return []
        if name == "depth":
            market = venue.markets[symbol]
            return {
                "lastUpdateId": market.update,
                "bids": [[text(market.bid - TICK * i), "500.0"] for i in range(5)],
                "asks": [[text(market.ask + TICK * i), "500.0"] for i in range(5)],
            }
        if name.startswith("ticker/"):
            chosen = [symbol] if symbol else json.loads(p.get("symbols", "null"))
            rows = [self.tick(name, s) for s in chosen or venue.markets]
            return rows[0] if symbol else rows
        if name == "account":
            return self.lagging("account", "*", self.account)
        if name == "account/commission":
            rates = {"maker": "0.001", "taker": "0.001", "buyer": "0", "seller": "0"}
            none = dict.fromkeys(rates, "0")
            return {
                "symbol": symbol, "standardCommission": rates, "taxCommission": none,
                "specialCommission": none, "discount": {
                    "enabledForAccount": False, "enabledForSymbol": False,
                    "discountAsset": "BNB", "discount": "0.75",
                },
            }  # fmt: skip
        if name == "order" and method == "POST":
            return venue.place(p, part)
        if name == "order" and method == "DELETE":
            return venue.cancel(p)
        if name == "order":
            order = venue.find(p)
            if order is None or order.hidden_until > time.time():
                raise Refused(-2013, "Order does not exist.")
            return venue.shown(order)
        if name == "order/test":
            return {}
        if name in {"orderList/oco", "orderList/otoco", "orderList/oto"}:
            return venue.place_list(p, name.rsplit("/", 1)[-1])
        if name == "orderList" and method == "DELETE":
            return venue.cancel_list(p)
        if name == "orderList":
            group = venue.find_list(p, "origClientOrderId")
            if group is None or venue.orders[group.orders[0]].hidden_until > time.time():
                raise Refused(-2018, "Order list does not exist.")
            return venue.list_reply(group, reports=False)
        if name == "openOrderList":
            return [
                venue.list_reply(g, reports=False)
                for g in venue.lists.values()
                if any(venue.orders[i].is_open for i in g.orders)
            ]
        if name == "openOrders" and method == "DELETE":
            alive = [o for o in venue.orders.values() if o.symbol == symbol and o.is_open]
            if not alive:
                raise Refused(-2011, "Unknown order sent.")
            return [venue.cancel_with_list(o) for o in alive if o.is_open]
        if name == "openOrders":
            return self.lagging("open", symbol or "*", lambda: self.open_orders(symbol))
        if name == "allOrders":
            now = time.time()
            return [
                venue.shown(o)
                for o in venue.orders.values()
                if o.symbol == symbol and o.hidden_until < now
            ]
        if name == "myTrades":
            return self.my_trades(p)
        if name == "rateLimit/order":
            return []
        if name == "order/cancelReplace":
            raise Refused(-1020, "This operation is not supported.")
        venue.log("unsupported", method=method, path=path)
        raise Refused(-1000, f"Not here: {path}", 404)

    def lagging(self, what: str, key: str, make: Callable[[], Any]) -> Any:
        venue = self.venue
        if venue.lags.get((what, key), 0.0) > time.time():
            return venue.frozen[(what, key)]
        return make()

    def open_orders(self, symbol: str) -> list[dict[str, Any]]:
        now = time.time()
        return [
            self.venue.shown(o)
            for o in self.venue.orders.values()
            if o.is_open and o.symbol == (symbol or o.symbol) and o.hidden_until < now
        ]

    def account(self) -> dict[str, Any]:
        venue = self.venue
        rates = {"maker": "0.001", "taker": "0.001", "buyer": "0", "seller": "0"}
        return {
            "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0,
            "sellerCommission": 0, "commissionRates": rates, "canTrade": True,
            "canWithdraw": True, "canDeposit": True, "updateTime": venue.now_ms(),
            "accountType": "SPOT", "permissions": ["SPOT"], "uid": 1, "balances": [
                {"asset": a, "free": text(venue.free(a)), "locked": text(venue.locked(a))}
                for a in venue.total
            ],
        }  # fmt: skip

    def my_trades(self, p: dict[str, str]) -> list[dict[str, Any]]:
        now = time.time()
        rows = [
            t
            for t in self.venue.trades
            if t["symbol"] == p.get("symbol")
            and self.venue.orders[t["orderId"]].hidden_until < now
            and (not p.get("orderId") or str(t["orderId"]) == p["orderId"])
            and (not p.get("fromId") or t["id"] >= int(p["fromId"]))
            and (not p.get("startTime") or t["time"] >= int(p["startTime"]))
            and (not p.get("endTime") or t["time"] <= int(p["endTime"]))
        ]
        limit = int(p.get("limit", "500"))
        return rows[:limit] if p.get("fromId") or p.get("startTime") else rows[-limit:]

    def tick(self, name: str, symbol: str) -> dict[str, Any]:
        market = self.venue.markets[symbol]
        if name == "ticker/price":
            return {"symbol": symbol, "price": text(market.price)}
        return {
            "symbol": symbol, "bidPrice": text(market.bid), "bidQty": "500.0",
            "askPrice": text(market.ask), "askQty": "500.0",
        }  # fmt: skip

    def exchange_info(self, p: dict[str, str]) -> dict[str, Any]:
        chosen = [p["symbol"]] if p.get("symbol") else json.loads(p.get("symbols", "null"))
        rows = []
        for symbol in chosen or self.venue.markets:
            if symbol not in self.venue.markets:
                raise Refused(-1121, "Invalid symbol.")
            rows.append({
                "symbol": symbol, "status": "TRADING", "baseAsset": self.venue.base(symbol),
                "baseAssetPrecision": 8, "quoteAsset": "USDT", "quotePrecision": 8,
                "quoteAssetPrecision": 8, "baseCommissionPrecision": 8,
                "quoteCommissionPrecision": 8, "orderTypes": [
                    "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT",
                    "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"],
                "icebergAllowed": True, "ocoAllowed": True, "otoAllowed": True,
                "opoAllowed": False, "quoteOrderQtyMarketAllowed": True,
                "allowTrailingStop": True, "cancelReplaceAllowed": True, "amendAllowed": False,
                "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
                "permissions": [], "permissionSets": [["SPOT"]],
                "defaultSelfTradePreventionMode": "NONE",
                "allowedSelfTradePreventionModes": ["NONE"], "filters": [
                    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00",
                     "tickSize": "0.01"},
                    {"filterType": "LOT_SIZE", "minQty": "0.0001", "maxQty": "9000.0",
                     "stepSize": "0.0001"},
                    {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "1000",
                     "stepSize": "0"},
                    {"filterType": "NOTIONAL", "minNotional": "5.00", "applyMinToMarket": True,
                     "maxNotional": "9000000.00", "applyMaxToMarket": False, "avgPriceMins": 0},
                    {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5",
                     "bidMultiplierDown": "0.2", "askMultiplierUp": "5",
                     "askMultiplierDown": "0.2", "avgPriceMins": 0},
                    {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
                    {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MAX_CONDITIONAL},
                    {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
                    {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10,
                     "maxTrailingAboveDelta": 2000, "minTrailingBelowDelta": 10,
                     "maxTrailingBelowDelta": 2000},
                ],
            })  # fmt: skip
        return {
            "timezone": "UTC", "serverTime": self.venue.now_ms(), "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
                 "limit": 6000},
                {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
                {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
                {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5,
                 "limit": 300000},
            ], "exchangeFilters": [], "symbols": rows,
        }  # fmt: skip


class Sockets:
    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    async def user(self, request: web.Request) -> web.StreamResponse:
        venue = self.venue
        if venue.down_until > time.time():
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        venue.log("user_stream", what="connected")
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            body = json.loads(message.data)
            method, p = body.get("method"), body.get("params") or {}
            result: dict[str, Any] = {}
            error: dict[str, Any] | None = None
            if method == "userDataStream.subscribe.signature":
                raw = "&".join(f"{k}={p[k]}" for k in sorted(p) if k != "signature")
                right = hmac.new(SECRET.encode(), raw.encode(), hashlib.sha256).hexdigest()
                if p.get("apiKey") != KEY:
                    error = {"code": -2015, "msg": "Invalid API-key, IP, or permissions."}
                elif right != p.get("signature"):
                    error = {"code": -1022, "msg": "Signature for this request is not valid."}
                elif socket in venue.users:
                    error = {"code": -2035, "msg": "User data stream is already active."}
                else:
                    venue.users[socket] = len(venue.users)
                    result = {"subscriptionId": venue.users[socket]}
            elif method == "session.subscriptions":
                rows = [{"subscriptionId": venue.users[socket]}] if socket in venue.users else []
                await socket.send_json({"id": body.get("id"), "status": 200, "result": rows})
                continue
            elif method == "time":
                result = {"serverTime": venue.now_ms()}
            elif method != "ping":
                error = {"code": -1000, "msg": f"Not here: {method}"}
                venue.log("unsupported", method=method, path="ws-api")
            reply: dict[str, Any] = {"id": body.get("id"), "status": 400 if error else 200}
            reply |= {"error": error} if error else {"result": result}
            await socket.send_json(reply | {"rateLimits": []})
        venue.users.pop(socket, None)
        venue.log("user_stream", what="gone")
        return socket

    async def market(self, request: web.Request) -> web.StreamResponse:
        venue = self.venue
        if venue.down_until > time.time():
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        raw = request.match_info.get("name") or request.query.get("streams", "")
        wrapped = request.path.startswith("/stream")
        wanted = {name for name in raw.split("/") if name}
        venue.streams[socket] = (wanted, wrapped)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            body = json.loads(message.data)
            result: Any = None
            if body.get("method") == "SUBSCRIBE":
                wanted.update(body["params"])
            elif body.get("method") == "UNSUBSCRIBE":
                wanted.difference_update(body["params"])
            elif body.get("method") == "LIST_SUBSCRIPTIONS":
                result = sorted(wanted)
            await socket.send_json({"result": result, "id": body.get("id")})
        venue.streams.pop(socket, None)
        return socket


class Control:
    """What the examiner asks of the venue. The product never comes here."""

    def __init__(self, venue: Venue, door: Door) -> None:
        self.venue, self.door = venue, door

    async def __call__(self, request: web.Request) -> web.Response:
        body = await request.json()
        act = body.pop("do")
        return web.json_response(getattr(self, f"do_{act}")(**body) or {})

    def do_fault(self, kind: str, ops: list[str], symbol: str = "*", **more: Any) -> None:
        for name in ("share", "price"):
            if name in more:
                more[name] = Decimal(str(more[name]))
        if "lasts" in more:
            more["until"] = time.time() + more.pop("lasts")
        self.venue.faults.append(Fault(kind, set(ops), symbol, **more))
        self.venue.log("asked", fault=kind, ops=ops, symbol=symbol, more=more)

    def do_calm(self, symbol: str = "") -> dict[str, Any]:
        left = [
            f"{f.kind}:{','.join(sorted(f.ops))}"
            for f in self.venue.faults
            if f.times > 0 and symbol in ("", f.symbol)
        ]
        self.venue.faults = [f for f in self.venue.faults if symbol not in ("", f.symbol)]
        return {"unused": left}

    def do_price(self, symbol: str, price: Any) -> None:
        self.venue.set_price(symbol, Decimal(str(price)))

    def do_stream(self, symbol: str, mode: str, seconds: float) -> None:
        self.venue.modes[symbol] = (mode, time.time() + seconds)
        self.venue.log("asked", stream=mode, symbol=symbol, seconds=seconds)

    def do_drop_stream(self) -> None:
        for socket in list(self.venue.users):
            self.venue.spawn(socket.close())

    def do_trigger_fault(self, symbol: str, kind: str) -> None:
        self.venue.trigger_faults[symbol] = kind
        self.venue.log("asked", trigger=kind, symbol=symbol)

    def do_lag(self, what: str, key: str, seconds: float) -> None:
        symbol = "" if key == "*" else key
        frozen = self.door.account() if what == "account" else self.door.open_orders(symbol)
        self.venue.frozen[(what, key)] = frozen
        self.venue.lags[(what, key)] = time.time() + seconds
        self.venue.log("asked", lag=what, symbol=symbol, seconds=seconds)

    def do_skew(self, seconds: float) -> None:
        self.venue.skew = seconds
        self.venue.log("asked", skew=seconds)

    def do_down(self, seconds: float) -> None:
        self.venue.down_until = time.time() + seconds
        self.venue.log("down", seconds=seconds)
        for socket in [*self.venue.users, *self.venue.streams]:
            self.venue.spawn(socket.close())

    def do_hand_cancel(self, symbol: str) -> None:
        self.venue.log("hand", what="cancel", symbol=symbol)
        for order in list(self.venue.orders.values()):
            if order.symbol == symbol and order.is_open:
                self.venue.cancel_with_list(order)

    def do_hand_move(self, symbol: str, amount: Any) -> None:
        asset = self.venue.base(symbol)
        self.venue.log("hand", what="move", symbol=symbol, amount=str(amount))
        self.venue.move(asset, Decimal(str(amount)), "hand")
        now = self.venue.now_ms()
        self.venue.tell(symbol, {
            "e": "balanceUpdate", "E": now, "a": asset, "d": str(amount), "T": now,
        })  # fmt: skip
        self.venue.position(symbol)

    def do_foreign(self, symbol: str, count: int, stop: Any, quantity: Any = "0.1") -> None:
        self.venue.log("hand", what="foreign", symbol=symbol, count=count)
        for _ in range(count):
            self.venue.place({
                "symbol": symbol, "side": "BUY", "type": "STOP_LOSS", "quantity": str(quantity),
                "stopPrice": str(stop), "newClientOrderId": "foreign-" + uuid.uuid4().hex[:8],
            })  # fmt: skip

    def do_fill_resting(self, symbol: str, share: Any) -> None:
        """Fill a part of what rests to buy, as when the book is thin."""
        for order in list(self.venue.orders.values()):
            rests = order.side == "BUY" and order.type == "LIMIT" and order.is_open
            if order.symbol == symbol and rests:
                part = (order.quantity * Decimal(str(share))).quantize(STEP, ROUND_DOWN)
                self.venue.fill(order, min(part, order.left), order.price, maker=True)
                self.venue.after_fill(order)

    def do_hand_sell(self, symbol: str, quantity: Any) -> None:
        self.venue.log("hand", what="sell", symbol=symbol)
        self.venue.place({
            "symbol": symbol, "side": "SELL", "type": "MARKET", "quantity": str(quantity),
            "newClientOrderId": "foreign-" + uuid.uuid4().hex[:8],
        })  # fmt: skip

    def do_clear_foreign(self, symbol: str) -> None:
        for order in list(self.venue.orders.values()):
            is_foreign = (order.original_id or order.client_id).startswith("foreign-")
            if order.symbol == symbol and order.is_open and is_foreign:
                self.venue.cancel_with_list(order)

    def do_mark(self, **fields: Any) -> None:
        self.venue.log("mark", **fields)

    def do_state(self, symbol: str) -> dict[str, Any]:
        venue = self.venue
        return {
            "held": str(venue.total.get(venue.base(symbol), Decimal(0))),
            "stops": [
                str(o.left)
                for o in venue.orders.values()
                if o.symbol == symbol and o.type in STOPS and o.side == "SELL"
                and o.status in {"NEW", "PARTIALLY_FILLED"}
            ],
            "price": str(venue.markets[symbol].price),
            "faults": sum(f.times for f in venue.faults if f.symbol == symbol),
            "users": len(venue.users),
            "streams": len(venue.streams),
        }  # fmt: skip


def application(venue: Venue) -> web.Application:
    app = web.Application()
    door, sockets = Door(venue), Sockets(venue)
    app.router.add_post("/control", Control(venue, door).__call__)
    app.router.add_get("/ws-api/v3", sockets.user)
    app.router.add_get("/ws/{name:.+}", sockets.market)
    app.router.add_get("/ws", sockets.market)
    app.router.add_get("/stream", sockets.market)
    app.router.add_route("*", "/{tail:.*}", door.__call__)

    async def start(_: web.Application) -> None:
        venue.spawn(venue.ticker())

    app.on_startup.append(start)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9901)
    parser.add_argument("--log", type=Path, default=Path("venue.jsonl"))
    parser.add_argument("--symbols", required=True, help="separated by commas, all in USDT")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    random.seed(options.seed)
    with options.log.open("a") as log:
        venue = Venue(options.symbols.split(","), log)
        web.run_app(
            application(venue), host="127.0.0.1", port=options.port, print=None, access_log=None
        )


if __name__ == "__main__":
    main()
