"""A plain signed client: it sends what it is told, so tests can send what clients would not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect

from exchanges.venues.simulator.process import SimulatorProcess
from exchanges.venues.simulator.signing import sign, socket_payload


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> int:
        return int(self.json["code"])


class VenueClient:
    """REST by hand. `get`, `post`, `put`, `delete` sign unless told not to."""

    def __init__(
        self,
        venue: SimulatorProcess,
        *,
        key: str | None = None,
        secret: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        self.venue = venue
        self.key = key or venue.api_key
        self.secret = secret or venue.api_secret
        self.timeout = timeout

    def send(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: str = "",
        key: str | None = None,
    ) -> Reply:
        """Send exactly this. `path` is what follows `/api/v3/`, or absolute with a slash."""
        target = path if path.startswith("/") else f"/api/v3/{path}"
        headers = {"X-MBX-APIKEY": key} if key is not None else {}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line = HTTPConnection("127.0.0.1", self.venue.port, timeout=self.timeout)
        try:
            line.request(method, f"{target}?{query}" if query else target, body or None, headers)
            answer = line.getresponse()
            return Reply(answer.status, answer.headers, answer.read().decode())
        finally:
            line.close()

    def ask(self, path: str, **params: Any) -> Reply:
        """GET without a key."""
        return self.send("GET", path, query=urlencode(params))

    def signed(self, method: str, path: str, **params: Any) -> Reply:
        params.setdefault("timestamp", now_ms())
        query = urlencode({name: value for name, value in params.items() if value is not None})
        query += f"&signature={sign(self.secret, query)}"
        return self.send(method, path, query=query, key=self.key)

    def get(self, path: str, **params: Any) -> Reply:
        return self.signed("GET", path, **params)

    def post(self, path: str, **params: Any) -> Reply:
        return self.signed("POST", path, **params)

    def put(self, path: str, **params: Any) -> Reply:
        return self.signed("PUT", path, **params)

    def delete(self, path: str, **params: Any) -> Reply:
        return self.signed("DELETE", path, **params)

    # --- orders ---------------------------------------------------------------------------------

    def buy(self, quantity: str = "0.01", symbol: str = "BTCUSDT", **more: Any) -> Any:
        """Buy at market; returns the reply's JSON and fails on any refusal."""
        return self._done(
            self.post("order", symbol=symbol, side="BUY", type="MARKET", quantity=quantity, **more)
        )

    def sell(self, quantity: str = "0.01", symbol: str = "BTCUSDT", **more: Any) -> Any:
        return self._done(
            self.post("order", symbol=symbol, side="SELL", type="MARKET", quantity=quantity, **more)
        )

    def limit(self, side: str, price: str, quantity: str = "0.01", **more: Any) -> Any:
        return self._done(self.try_limit(side, price, quantity, **more))

    def try_limit(self, side: str, price: str, quantity: str = "0.01", **more: Any) -> Reply:
        order = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", **more}
        return self.post("order", side=side, price=price, quantity=quantity, **order)

    def order(self, client_id: str, symbol: str = "BTCUSDT") -> Any:
        return self._done(self.get("order", symbol=symbol, origClientOrderId=client_id))

    def balance(self, asset: str) -> tuple[str, str]:
        """Return (free, locked) of one asset."""
        rows = {row["asset"]: row for row in self.get("account").json["balances"]}
        row = rows.get(asset, {"free": "0.00000000", "locked": "0.00000000"})
        return row["free"], row["locked"]

    def _done(self, reply: Reply) -> Any:
        assert reply.status == 200, reply.text
        return reply.json


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class UserStream:
    """One user data subscription over the WebSocket API."""

    def __init__(self, socket: ClientConnection, client: VenueClient) -> None:
        self.socket = socket
        self.client = client
        self._number = 0
        self._backlog: list[Any] = []

    def call(self, method: str, **params: Any) -> Any:
        """Send one request and return its reply; events that come first are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        self.socket.send(json.dumps(message))
        while True:
            frame = json.loads(self.socket.recv(timeout=60))
            if frame.get("id") == self._number:
                return frame
            self._backlog.append(frame)

    def signed(self, method: str, **params: Any) -> Any:
        params = {"apiKey": self.client.key, "timestamp": now_ms(), **params}
        params["signature"] = sign(self.client.secret, socket_payload(params))
        return self.call(method, **params)

    def frame(self, timeout: float = 3.0) -> Any:
        """Return the next frame that is no reply. Raises TimeoutError."""
        if self._backlog:
            return self._backlog.pop(0)
        return json.loads(self.socket.recv(timeout=timeout))

    def event(self, kind: str | None = None, timeout: float = 3.0) -> Any:
        """Return the next event, or the next of a kind."""
        while True:
            event = self.frame(timeout)["event"]
            if kind in (None, event["e"]):
                return event

    def silent_for(self, seconds: float) -> bool:
        try:
            self.frame(timeout=seconds)
        except TimeoutError:
            return True
        return False


@contextmanager
def user_stream(client: VenueClient) -> Iterator[UserStream]:
    """Open the WebSocket API and subscribe to the client's account."""
    with connect(client.venue.ws_api_url, proxy=None) as socket:
        stream = UserStream(socket, client)
        reply = stream.signed("userDataStream.subscribe.signature")
        assert reply["status"] == 200, reply
        yield stream


@contextmanager
def market_stream(venue: SimulatorProcess, path: str) -> Iterator[ClientConnection]:
    """Open a public stream: `/ws/btcusdt@trade` or `/stream?streams=...`."""
    with connect(f"{venue.stream_url}{path}", proxy=None) as socket:
        yield socket
