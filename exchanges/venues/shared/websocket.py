"""A WebSocket line to a venue: open it, say and hear JSON objects, and wait between tries.

Every way a line can fail is told as StreamBroken: whoever reads builds a new one after a rest.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException


class StreamBroken(Exception):
    """This connection is of no further use; `wait` is what the venue asks for, in seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Line:
    """One open connection; WebSocket pings of its own find out when the other end is gone."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> Line:
        """Raise StreamBroken when there is no way in."""
        try:
            connection = await connect(
                url,
                proxy=None,
                open_timeout=10,
                close_timeout=2,
                ping_interval=20,
                ping_timeout=20,
                max_queue=256,
            )
        except (OSError, InvalidHandshake, InvalidURI, TimeoutError) as error:
            raise StreamBroken(f"cannot connect: {type(error).__name__} {error}") from error
        return cls(connection)

    async def hear(self, seconds: float) -> dict[str, Any] | None:
        """Return the next frame as an object, None when there is none in time."""
        try:
            # Not wait_for: before Python 3.12 it may swallow a cancel that meets a frame.
            async with asyncio.timeout(max(seconds, 0.001)):
                frame = await self._connection.recv()
            message = orjson.loads(frame)
        except TimeoutError:
            return None
        except WebSocketException as error:
            raise StreamBroken(f"connection lost: {error}") from error
        except ValueError as error:
            raise StreamBroken(f"a frame that is no JSON: {error}") from error
        if not isinstance(message, dict):
            raise StreamBroken(f"a frame that is no object: {message!r:.80}")
        return message

    async def hear_bytes(self) -> bytes:
        """Return the next frame as it came, whenever it comes."""
        try:
            return await self._connection.recv(decode=False)
        except WebSocketException as error:
            raise StreamBroken(f"connection lost: {error}") from error

    async def say(self, message: Mapping[str, Any]) -> None:
        try:
            await self._connection.send(orjson.dumps(message).decode())
        except WebSocketException as error:
            raise StreamBroken(f"connection lost: {error}") from error

    async def close(self) -> None:
        with suppress(WebSocketException):  # the other end may be the first to close
            await self._connection.close()


class Rests:
    """The pauses between tries: longer each time, jittered, over at once when `stopping` is set."""

    def __init__(self, stopping: asyncio.Event, *, first: float, longest: float) -> None:
        self._stopping = stopping
        self._first = first
        self._longest = longest
        self.failures = 0

    def note_held(self, seconds: float) -> None:
        """Forget earlier failures when a line held for a while: this is no hammering."""
        if seconds > self._longest:
            self.failures = 0

    async def rest(self, asked: float = 0.0) -> None:
        """Wait before the next try, at least as long as the venue `asked` for."""
        longest = min(self._longest, self._first * 2.0 ** min(self.failures, 30))
        self.failures += 1
        wait = max(asked, longest * random.uniform(0.5, 1.0))
        try:
            async with asyncio.timeout(wait):
                await self._stopping.wait()
        except TimeoutError:
            return
