"""A real WebSocket API server on a free port whose every move is written in the test."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.fakes.scripted_venue import API_SECRET


class ScriptedStream:
    """Subscribes whoever signs rightly, unless told otherwise; then sends what it is told."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.connections = 0
        self.clock_skew_ms = 0
        self.forgets_subscriptions = False
        self.knows_probe = True
        self.is_mute = False
        self._refusals: deque[dict[str, Any]] = deque()
        self._lines: list[ServerConnection] = []
        self._subscribed = asyncio.Event()
        self._server: Server | None = None

    async def __aenter__(self) -> ScriptedStream:
        self._server = await serve(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}/ws-api/v3"

    # ---- verbs ----------------------------------------------------------------------------

    def refuse_next(self, status: int, code: int, text: str, **data: int) -> None:
        """Refuse the next subscription."""
        error: dict[str, Any] = {"code": code, "msg": text}
        if data:
            error["data"] = data
        self._refusals.append({"status": status, "error": error})

    async def send(self, event: object, *, subscription: int | None = 0) -> None:
        """Send an event to the newest connection, in the envelope the venue uses."""
        frame: dict[str, object] = {"event": event}
        if subscription is not None:
            frame["subscriptionId"] = subscription
        await self.send_raw(json.dumps(frame))

    async def send_raw(self, text: str) -> None:
        await self._lines[-1].send(text)

    async def drop(self) -> None:
        """Cut the newest connection without a word."""
        self._subscribed.clear()
        self._lines[-1].transport.abort()

    async def close(self) -> None:
        """Close the newest connection as the venue does at 24 hours."""
        self._subscribed.clear()
        await self._lines[-1].close(1001, "connection life is over")

    async def subscribed(self) -> None:
        await asyncio.wait_for(self._subscribed.wait(), 60)

    def methods(self) -> list[str]:
        return [str(request["method"]) for request in self.requests]

    # ---- inside ---------------------------------------------------------------------------

    async def _serve(self, line: ServerConnection) -> None:
        self.connections += 1
        self._lines.append(line)
        try:
            async for text in line:
                request = json.loads(text)
                self.requests.append(request)
                answer = self._answer(request)
                if answer is not None:
                    await line.send(json.dumps({"id": request["id"]} | answer))
        except ConnectionClosed:
            return

    def _answer(self, request: dict[str, Any]) -> dict[str, Any] | None:
        if self.is_mute:
            return None
        if request["method"] == "time":
            now = int(time.time() * 1000) + self.clock_skew_ms
            return {"status": 200, "result": {"serverTime": now}}
        if request["method"] == "session.subscriptions":
            if not self.knows_probe:
                return {"status": 400, "error": {"code": -1100, "msg": "Unknown method."}}
            known = [] if self.forgets_subscriptions else [{"subscriptionId": 0}]
            return {"status": 200, "result": known}
        if self._refusals:
            return self._refusals.popleft()
        if not is_signed_rightly(request["params"]):
            return {"status": 400, "error": {"code": -1022, "msg": "Signature is not valid."}}
        self._subscribed.set()
        return {"status": 200, "result": {"subscriptionId": 0}}


def is_signed_rightly(params: dict[str, Any]) -> bool:
    """Check as Binance does: the parameters in the order of the alphabet, without the signature."""
    rest = sorted((name, value) for name, value in params.items() if name != "signature")
    digest = hmac.new(API_SECRET.encode(), urlencode(rest).encode(), hashlib.sha256).hexdigest()
    return bool(params.get("signature") == digest)


def order_event(**changes: object) -> dict[str, object]:
    """Write an executionReport of a partial fill; changes replace single letters."""
    return {
        "e": "executionReport",
        "E": 1795262400125,
        "s": "BTCUSDT",
        "c": "entry-1",
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "0.10000000",
        "p": "45000.00000000",
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": "",
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "r": "NONE",
        "i": 28,
        "l": "0.04000000",
        "z": "0.04000000",
        "L": "45000.00000000",
        "n": "0.00004000",
        "N": "BTC",
        "T": 1795262400123,
        "t": 56,
        "I": 991,
        "w": False,
        "m": True,
        "M": False,
        "O": 1795262400000,
        "Z": "1800.00000000",
        "Y": "1800.00000000",
        "Q": "0.00000000",
        "V": "EXPIRE_MAKER",
    } | changes
