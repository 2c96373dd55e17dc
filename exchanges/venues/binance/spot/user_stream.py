"""The spot user stream: order, fill and balance news of one venue account, as they happen.

It talks to the WebSocket API itself (`userDataStream.subscribe.signature`) instead of going
through python-binance's socket, because that one (1.0.37) cannot be made sound from outside: it
reconnects without subscribing again and stays silent for ever; it drops `serverShutdown` as an
unknown message; its reader ends at 100 waiting messages; and its `recv` hides a dead line.

The venue replays nothing. So every (re)start of the stream yields a live `StreamGap`: whoever
reads must then ask REST for the truth. Duplicates may come and are harmless downstream.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import structlog

from exchanges.domain import errors
from exchanges.domain.news import News, StreamGap
from exchanges.venues.binance import error_mapping
from exchanges.venues.binance.spot import wire
from exchanges.venues.shared.clock import Clock
from exchanges.venues.shared.websocket import Line, Rests, StreamBroken

log = structlog.get_logger(__name__)

READERS: Mapping[str, Callable[[wire.Json], News]] = {
    "executionReport": wire.stream_report,
    "outboundAccountPosition": wire.balance_news,
    "listStatus": wire.list_news,
}
# Told in other words by an outboundAccountPosition, or of no use to us.
PASSED_OVER = frozenset({"balanceUpdate", "externalLockUpdate"})
LAST_WORDS = frozenset({"serverShutdown", "eventStreamTerminated"})


class SpotUserStream:
    """Iterate `news()`; call `stop()` (from a signal handler, say) to end it cleanly.

    `silence_seconds`: without any frame for so long the line is probed, and given up when the
    probe stays unanswered for as long again or tells that our subscription is gone.
    `lifetime_seconds`: a connection is renewed before the venue cuts it at 24 hours.
    """

    def __init__(
        self,
        *,
        url: str,
        api_key: str,
        api_secret: str,
        recv_window_ms: int = 5000,
        clock: Clock | None = None,
        silence_seconds: float = 30.0,
        lifetime_seconds: float = 23 * 3600.0,
        max_waiting: int = 10_000,
        first_wait_seconds: float = 0.5,
        longest_wait_seconds: float = 60.0,
    ) -> None:
        self._url = url
        self._api_key = api_key
        self._api_secret = api_secret
        self._recv_window_ms = recv_window_ms
        self._clock = clock or Clock()
        self._silence = silence_seconds
        self._lifetime = lifetime_seconds
        self._max_waiting = max_waiting
        self._stopping = asyncio.Event()
        self._rests = Rests(self._stopping, first=first_wait_seconds, longest=longest_wait_seconds)

    def stop(self) -> None:
        """End `news()` after the item it is at."""
        self._stopping.set()

    async def news(self) -> AsyncGenerator[News, None]:
        """Yield news until `stop`. Raise CredentialsRefused when the venue refuses our key."""
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                async with aclosing(self._one_connection()) as connection:
                    async for item in connection:
                        yield item
            except StreamBroken as broken:
                self._rests.note_held(time.monotonic() - started)
                log.warning("user_stream_broken", reason=str(broken), failures=self._rests.failures)
                yield StreamGap(str(broken), live=False, at=_now())
                await self._rests.rest(broken.wait)

    # ---- one connection -------------------------------------------------------------------

    async def _one_connection(self) -> AsyncGenerator[News, None]:
        line = await Line.open(self._url)
        waiting: asyncio.Queue[News | None] = asyncio.Queue()
        reader: asyncio.Task[None] | None = None
        try:
            subscription = await self._subscribe(line)
            reader = asyncio.create_task(self._read(line, subscription, waiting))
            yield StreamGap("subscribed", live=True, at=_now())
            async with aclosing(self._until_stopped(waiting)) as items:
                async for item in items:
                    yield item
            if not self._stopping.is_set():
                await reader  # tells why it ended
        finally:
            if reader is not None:
                reader.cancel()
            await line.close()
            if reader is not None:
                await asyncio.gather(reader, return_exceptions=True)

    async def _until_stopped(
        self, waiting: asyncio.Queue[News | None]
    ) -> AsyncGenerator[News, None]:
        stopping = asyncio.create_task(self._stopping.wait())
        getting = asyncio.create_task(waiting.get())
        try:
            while True:
                await asyncio.wait({getting, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    return
                item = getting.result()
                if item is None:
                    return
                getting = asyncio.create_task(waiting.get())
                yield item
        finally:
            stopping.cancel()
            getting.cancel()

    async def _subscribe(self, line: Line) -> int:
        """Subscribe by signature, by the venue's clock; return the subscription id."""
        if self._clock.is_stale:
            told = await self._ask(line, "time", {})
            if told.get("status") == 200:
                self._clock.sync(lambda: int(told["result"]["serverTime"]))
        answer = await self._ask(line, "userDataStream.subscribe.signature", self._signed())
        if answer.get("status") != 200:
            self._explain(answer)
        return int(answer["result"]["subscriptionId"])

    async def _ask(self, line: Line, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return its answer. Errors about a refused key come without an id."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 10
        await self._say(line, method, method, params)
        while True:
            message = await line.hear(deadline - loop.time())
            if message is None:
                raise StreamBroken(f"no answer to {method}")
            if message.get("id") == method or "error" in message:
                return message

    def _signed(self) -> dict[str, str | int]:
        params: dict[str, str | int] = {
            "apiKey": self._api_key,
            "recvWindow": self._recv_window_ms,
            "timestamp": self._clock.now_ms(),
        }
        payload = urlencode(sorted(params.items())).encode()
        digest = hmac.new(self._api_secret.encode(), payload, hashlib.sha256).hexdigest()
        return params | {"signature": digest}

    def _explain(self, message: Mapping[str, Any]) -> None:
        """Raise what a refused subscription means."""
        error = message.get("error") or {}
        code, text = error.get("code"), str(error.get("msg", ""))
        if code in error_mapping.CREDENTIALS:
            raise errors.CredentialsRefused(text, code=code, status=message.get("status"))
        until = (error.get("data") or {}).get("retryAfter")  # an epoch in ms here, no duration
        wait = max(0.0, int(until) / 1000 - time.time()) if until else 0.0
        server_ms = (error.get("data") or {}).get("serverTime")
        if code == error_mapping.CLOCK_REFUSED and server_ms:
            self._clock.sync(lambda: int(server_ms))
        elif code == error_mapping.CLOCK_REFUSED:
            self._clock.doubt()
        raise StreamBroken(f"subscription refused: {code} {text}", wait)

    # ---- reading --------------------------------------------------------------------------

    async def _read(
        self, line: Line, subscription: int, waiting: asyncio.Queue[News | None]
    ) -> None:
        """Drain the line into `waiting`; end with None there and raise why."""
        try:
            await self._read_on(line, subscription, waiting)
        finally:
            waiting.put_nowait(None)

    async def _read_on(
        self, line: Line, subscription: int, waiting: asyncio.Queue[News | None]
    ) -> None:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._lifetime
        probed = False
        while True:
            left = ends_at - loop.time()
            if left <= 0:
                raise StreamBroken("renewed before the venue's 24 hours")
            message = await line.hear(min(self._silence, left))
            if message is None:
                if probed:
                    raise StreamBroken(f"silent for {2 * self._silence:g} s")
                probed = left > self._silence
                if probed:
                    await self._say(line, "probe", "session.subscriptions", {})
                continue
            probed = False
            if message.get("id") == "probe":
                _check_still_subscribed(message, subscription)
                continue
            for item in _news_of(message):
                if waiting.qsize() >= self._max_waiting:
                    raise StreamBroken(f"{self._max_waiting} news waiting: the reader is too slow")
                waiting.put_nowait(item)

    async def _say(self, line: Line, id_: str, method: str, params: Mapping[str, Any]) -> None:
        body: dict[str, Any] = {"id": id_, "method": method}
        await line.say(body | ({"params": params} if params else {}))


def _check_still_subscribed(message: Mapping[str, Any], subscription: int) -> None:
    if message.get("status") != 200:
        # The venue answers, though not this question: the line itself is alive.
        log.info("user_stream_probe_refused", error=message.get("error"))
        return
    known = {row.get("subscriptionId") for row in message.get("result") or ()}
    if subscription not in known:
        raise StreamBroken("the venue has dropped our subscription")


def _news_of(message: Mapping[str, Any]) -> list[News]:
    """Return the news in one frame. Raise StreamBroken on the venue's last words."""
    event = message.get("event")
    if not isinstance(event, dict):
        log.info("user_stream_unknown_frame", keys=sorted(message))
        return []
    kind = event.get("e")
    if kind in LAST_WORDS:
        raise StreamBroken(f"the venue says {kind}")
    reader = READERS.get(str(kind))
    if reader is None:
        if kind not in PASSED_OVER:
            log.info("user_stream_unknown_event", kind=kind)
        return []
    try:
        return [reader(event)]
    except wire.Unreadable as error:
        # One odd event is no reason to go deaf; REST must tell what it said.
        log.error("user_stream_unreadable_event", kind=kind, error=str(error))
        return [StreamGap(f"unreadable {kind}", live=True, at=_now())]


def _now() -> datetime:
    return datetime.now(UTC)
