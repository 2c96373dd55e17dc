"""A real server of market streams on a free port whose every frame is written in the test."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State


class ScriptedMarket:
    """Takes every subscription and answers every request, unless told otherwise."""

    def __init__(self) -> None:
        self.connections = 0
        self.subscribed: set[str] = set()
        self.requests: list[dict[str, Any]] = []
        self.is_mute = False
        self.forgets_subscriptions = False
        self.refuses = False
        self.refused = 0
        self.paths: list[str] = []
        self._asked: list[set[str]] = []
        self._lines: list[ServerConnection] = []
        self._server: Server | None = None

    async def __aenter__(self) -> ScriptedMarket:
        self._server = await serve(self._serve, "127.0.0.1", 0, process_request=self._greet)
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
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    @property
    def open_lines(self) -> int:
        return sum(line.state is State.OPEN for line in self._lines)

    @property
    def asked(self) -> set[str]:
        """What was asked for in addresses, on all lines together."""
        return set().union(*self._asked)

    def asked_on(self, path: str) -> set[str]:
        return set().union(
            *(names for at, names in zip(self.paths, self._asked, strict=True) if at == path)
        )

    # ---- verbs ----------------------------------------------------------------------------

    async def send(self, stream: str, **data: Any) -> None:
        """Send a frame of one stream to the newest connection, in the combined envelope."""
        await self.send_raw(json.dumps({"stream": stream, "data": data}))

    async def send_best(self, symbol: str, bid: str, ask: str, *, number: int = 1) -> None:
        frame = {"u": number, "s": symbol, "b": bid, "B": "1", "a": ask, "A": "2"}
        await self.send(f"{symbol.lower()}@bookTicker", **frame)

    async def send_best_on(
        self, place: int, symbol: str, bid: str, ask: str, *, number: int
    ) -> None:
        """Send a best price on one of the lines, the oldest is 0."""
        frame = {"u": number, "s": symbol, "b": bid, "B": "1", "a": ask, "A": "2"}
        told = {"stream": f"{symbol.lower()}@bookTicker", "data": frame}
        await self._lines[place].send(json.dumps(told))

    async def send_depth(self, symbol: str, *asks: tuple[str, str], number: int = 1) -> None:
        frame = {"lastUpdateId": number, "bids": [["9", "1"]], "asks": [list(a) for a in asks]}
        await self.send(f"{symbol.lower()}@depth20@100ms", **frame)

    async def send_raw(self, text: str) -> None:
        await self._lines[-1].send(text)

    def drop(self) -> None:
        """Cut the newest connection without a word."""
        self._lines[-1].transport.abort()

    async def connected(self, times: int = 1) -> None:
        await until(lambda: self.connections >= times)

    # ---- inside ---------------------------------------------------------------------------

    def _greet(self, line: ServerConnection, _request: Request) -> Response | None:
        if not self.refuses:
            return None
        self.refused += 1
        return line.respond(503, "full")

    async def _serve(self, line: ServerConnection) -> None:
        assert line.request is not None
        address = urlsplit(line.request.path)
        self.subscribed = set(parse_qs(address.query)["streams"][0].split("/"))
        self.paths.append(address.path)
        self._asked.append(self.subscribed)
        self._lines.append(line)
        self.connections += 1
        try:
            async for text in line:
                await self._answer(line, json.loads(text))
        except ConnectionClosed:
            return

    async def _answer(self, line: ServerConnection, request: dict[str, Any]) -> None:
        self.requests.append(request)
        result: Any = None
        if request["method"] == "SUBSCRIBE":
            self.subscribed |= set(request["params"])
        elif request["method"] == "UNSUBSCRIBE":
            self.subscribed -= set(request["params"])
        elif request["method"] == "LIST_SUBSCRIPTIONS":
            result = [] if self.forgets_subscriptions else sorted(self.subscribed)
        if not self.is_mute:
            await line.send(json.dumps({"result": result, "id": request["id"]}))


async def until(seen: Any, seconds: float = 60) -> None:
    """Look every few milliseconds until `seen()` is true."""
    async with asyncio.timeout(seconds):
        while not seen():
            await asyncio.sleep(0.005)
