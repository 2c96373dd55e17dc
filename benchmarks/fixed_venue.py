"""A venue that answers every order with the same fill, as fast as Python can: its cost is a floor.

    python -m benchmarks.fixed_venue PORT

It keeps no book and checks no signature; it only remembers its own answers, so that a cancel or a
query fits what it said before. The time each order arrived is kept and told at
`GET /bench/arrivals`, so that a benchmark can measure 'publish to venue' without touching the
product.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from urllib.parse import parse_qsl

import orjson

PRICE = "50000.00"
SYMBOLS = {"BTCUSDT": "BTC", "ETHUSDT": "ETH", "BNBUSDT": "BNB", "SOLUSDT": "SOL"}


def symbol_entry(symbol: str, base: str) -> dict[str, object]:
    """Return an exchangeInfo entry with wide filters."""
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": "USDT",
        "orderTypes": [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": "0.01",
                "maxPrice": "1000000",
                "tickSize": "0.01",
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": "0.00001",
                "maxQty": "9000",
                "stepSize": "0.00001",
            },
            {"filterType": "NOTIONAL", "minNotional": "5", "applyMinToMarket": True},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        ],
    }


class Venue:
    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.arrivals: dict[str, float] = {}
        self.resting: dict[str, dict[str, object]] = {}
        self.lists: dict[str, list[dict[str, object]]] = {}
        self.doubles = 0
        self.entries = 0

    def answer(self, method: str, path: str, fields: dict[str, str]) -> object:
        now = int(time.time() * 1000)
        if path == "/api/v3/order" and method == "POST":
            return self.order(fields, now)
        if path.startswith("/api/v3/orderList") and method == "POST":
            return self.order_list(fields, now)
        if path == "/api/v3/orderList" and method == "DELETE":
            return self.list_done(fields, now)
        if path == "/api/v3/order":
            return self.known(method, fields, now)
        return self.read(path, fields, now)

    def known(self, method: str, fields: dict[str, str], now: int) -> object:
        """Answer a query or a cancel of one order."""
        name = fields.get("origClientOrderId", "")
        order = self.resting.get(name)
        if order is None:
            order = self.shape(fields | {"newClientOrderId": name}, now, "CANCELED")
        if method == "DELETE":
            order = self.cancelled(name, order)
        return order

    def cancelled(self, name: str, order: dict[str, object]) -> dict[str, object]:
        self.resting.pop(name, None)
        return order | {"status": "CANCELED", "clientOrderId": "-", "origClientOrderId": name}

    def read(self, path: str, fields: dict[str, str], now: int) -> object:
        symbol = fields.get("symbol", "BTCUSDT")
        if path == "/api/v3/time":
            return {"serverTime": now}
        if path == "/api/v3/exchangeInfo":
            return {
                "rateLimits": [],
                "symbols": [symbol_entry(s, base) for s, base in SYMBOLS.items()],
            }
        if path == "/api/v3/account":
            return {
                "canTrade": True,
                "commissionRates": {"maker": "0.001", "taker": "0.001"},
                "balances": [{"asset": "USDT", "free": "1000000000", "locked": "0"}],
            }
        if path == "/api/v3/ticker/bookTicker":
            return {
                "symbol": symbol,
                "bidPrice": "49999.99",
                "bidQty": "100",
                "askPrice": PRICE,
                "askQty": "100",
            }
        if path == "/api/v3/depth":
            return {
                "lastUpdateId": now,
                "bids": [["49999.99", "100"]],
                "asks": [[PRICE, "100"]],
            }
        if path == "/bench/arrivals":
            return {"arrivals": self.arrivals, "doubles": self.doubles, "entries": self.entries}
        if path == "/bench/reset":
            self.arrivals, self.doubles, self.entries = {}, 0, 0
            return {}
        if path == "/api/v3/openOrders" or path == "/api/v3/myTrades":
            return []
        return {}

    def order(self, fields: dict[str, str], now: int) -> dict[str, object]:
        name = fields.get("newClientOrderId", "")
        if fields["type"] == "MARKET" and fields["side"] == "BUY":
            self.entries += 1
            if name in self.arrivals:
                self.doubles += 1
            self.arrivals[name] = time.time()
        elif fields["type"] != "MARKET":
            self.resting[name] = self.shape(fields, now, "NEW")
            return self.resting[name]
        return self.shape(fields, now, "FILLED")

    def shape(self, fields: dict[str, str], now: int, status: str) -> dict[str, object]:
        number = next(self.ids)
        quantity = fields.get("quantity", "0.001")
        filled = status == "FILLED"
        quote = f"{float(quantity) * float(PRICE):.8f}"
        reply: dict[str, object] = {
            "symbol": fields.get("symbol", "BTCUSDT"),
            "orderId": number,
            "orderListId": -1,
            "clientOrderId": fields.get("newClientOrderId", ""),
            "transactTime": now,
            "price": fields.get("price", "0.00000000"),
            "origQty": quantity,
            "executedQty": quantity if filled else "0.00000000",
            "cummulativeQuoteQty": quote if filled else "0.00000000",
            "status": status,
            "timeInForce": fields.get("timeInForce", "GTC"),
            "type": fields.get("type", "MARKET"),
            "side": fields.get("side", "BUY"),
            "workingTime": now,
            "selfTradePreventionMode": "NONE",
            "fills": [],
        }
        if filled:
            reply["fills"] = [
                {
                    "price": PRICE,
                    "qty": quantity,
                    "commission": f"{float(quantity) * 0.001:.8f}",
                    "commissionAsset": SYMBOLS.get(str(reply["symbol"]), "BTC"),
                    "tradeId": number,
                }
            ]
        return reply

    def order_list(self, fields: dict[str, str], now: int) -> dict[str, object]:
        legs = []
        for prefix in ("above", "below"):
            leg = {
                "symbol": fields["symbol"],
                "side": fields["side"],
                "quantity": fields["quantity"],
                "newClientOrderId": fields.get(f"{prefix}ClientOrderId", ""),
                "type": fields.get(f"{prefix}Type", ""),
                "price": fields.get(f"{prefix}Price", "0"),
            }
            name = leg["newClientOrderId"]
            legs.append(self.shape(leg, now, "NEW"))
            self.resting[name] = legs[-1]
        name = fields.get("listClientOrderId", "")
        self.lists[name] = legs
        return self.list_reply(fields, now, legs, name)

    def list_done(self, fields: dict[str, str], now: int) -> dict[str, object]:
        name = fields.get("listClientOrderId", "")
        legs = [self.cancelled(str(leg["clientOrderId"]), leg) for leg in self.lists.pop(name, [])]
        return self.list_reply(fields, now, legs, name)

    def list_reply(
        self, fields: dict[str, str], now: int, legs: list[dict[str, object]], name: str
    ) -> dict[str, object]:
        return {
            "orderListId": next(self.ids),
            "contingencyType": "OCO",
            "listStatusType": "EXEC_STARTED" if name in self.lists else "ALL_DONE",
            "listOrderStatus": "EXECUTING" if name in self.lists else "ALL_DONE",
            "listClientOrderId": name,
            "transactionTime": now,
            "symbol": fields["symbol"],
            "orders": [
                {"symbol": leg["symbol"], "orderId": leg["orderId"], "clientOrderId": "x"}
                for leg in legs
            ],
            "orderReports": legs,
        }


class Connection(asyncio.Protocol):
    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin1")
            length = 0
            for line in head.split("\r\n")[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length].decode()
            self.buffer = self.buffer[end + 4 + length :]
            method, target, _ = head.split(" ", 2)
            path, _, query = target.partition("?")
            fields = dict(parse_qsl(query) + parse_qsl(body))
            answer = orjson.dumps(self.venue.answer(method, path, fields))
            self.transport.write(  # type: ignore[attr-defined]
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"X-MBX-USED-WEIGHT-1M: 1\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer)
            )


async def serve(port: int) -> None:
    venue = Venue()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(venue), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
