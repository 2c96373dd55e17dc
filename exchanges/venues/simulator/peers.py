"""One WebSocket client: an outbound queue with its writer, pings, and a bounded life."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

QUEUE_LIMIT = 10_000
NO_PONG_SECONDS = 60.0


class Peer:
    """A connection that is written to from anywhere and drained by one task."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        *,
        transport: asyncio.Transport | None,
        address: str,
        ping_seconds: float,
        life_seconds: float,
    ) -> None:
        self.socket = socket
        self.address = address
        self._transport = transport
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._ping_seconds = ping_seconds
        self._dies_at = time.monotonic() + life_seconds
        self._pong_at = time.monotonic()
        self._ended = asyncio.Event()

    def send(self, message: bytes) -> None:
        """Queue one text frame. A client that does not read is cut off, never waited for."""
        if self._queue.qsize() >= QUEUE_LIMIT:
            self.hang_up()
            return
        self._queue.put_nowait(message)

    @property
    def waiting(self) -> int:
        """How many frames it has still to read."""
        return 0 if self._ended.is_set() else self._queue.qsize()

    def send_json(self, message: Any) -> None:
        self.send(orjson.dumps(message))

    def hang_up(self) -> None:
        """End the connection without a goodbye, as a broken line would."""
        self._ended.set()
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Say goodbye and end the connection."""
        self._ended.set()
        await self.socket.close(code=WSCloseCode.GOING_AWAY)

    async def serve(self, on_text: Callable[[str], Awaitable[None]]) -> None:
        """Read until the client leaves or the connection's life is over."""
        tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._watch())]
        try:
            async for message in self.socket:
                if message.type is WSMsgType.TEXT:
                    await on_text(message.data)
                elif message.type is WSMsgType.PING:
                    await self.socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    self._pong_at = time.monotonic()
        except (ConnectionError, RuntimeError):
            pass  # the line broke while answering; there is nobody left to tell
        finally:
            self._ended.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            while not self._ended.is_set():
                message = await self._queue.get()
                await self.socket.send_str(message.decode())

    async def _watch(self) -> None:
        """Ping on schedule; end the connection when nobody answers or its day is over."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            while not self._ended.is_set():
                left = self._dies_at - time.monotonic()
                await asyncio.sleep(max(0.0, min(self._ping_seconds, left)))
                if time.monotonic() >= self._dies_at:
                    await self.close()
                    return
                if time.monotonic() - self._pong_at > NO_PONG_SECONDS + self._ping_seconds:
                    self.hang_up()
                    return
                await self.socket.ping(str(time.time_ns() // 1_000_000).encode())
