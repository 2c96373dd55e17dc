"""Run the WSGI side of the site inside the ASGI server: one port, one hop to a thread and back.

Django's own ASGI handler hands each request to a thread several times when middleware is
synchronous. Here the loop reads the whole body (bounded), one thread of a small pool answers, and
the loop sends. Threads live as long as the process, so database connections persist.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from petrosa_site.server import entry_gate
from signals_app.api.trade import QUEUE_IT

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

SENT_WHOLE_UP_TO = 1024 * 1024
CLIENT_WENT_AWAY = (asyncio.CancelledError, OSError)


class BodyTooLarge(Exception):
    """The request body is longer than the site reads."""


class ClientGone(Exception):
    """The client left before its request was complete: nothing of it may be acted on."""


class Lane:
    """Threads that answer some of the paths, so that those paths never hold up the others.

    At most `waiting` requests wait for a thread, None for any number.
    """

    def __init__(self, name: str, *, threads: int, waiting: int | None = None) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self.most = None if waiting is None else threads + waiting
        self.inside = 0  # counted on the loop alone

    @property
    def is_full(self) -> bool:
        return self.most is not None and self.inside >= self.most

    async def run(self, job: Callable[[], None]) -> None:
        context = contextvars.copy_context()
        self.inside += 1
        try:
            await asyncio.get_running_loop().run_in_executor(self.pool, context.run, job)
        finally:
            self.inside -= 1


class WsgiBridge:
    """An ASGI application for `http` scopes that answers with `app` in one of `threads` threads.

    Bodies above `max_body` bytes are answered with 413 and never read to the end. Of the threads a
    few are reserved for what does not enter: `entry_gate` sees to it. Paths of `apart` have a lane
    of their own: 503 when it is full.
    """

    def __init__(
        self,
        app: WsgiApp,
        *,
        threads: int,
        max_body: int,
        apart: Mapping[str, Lane] | None = None,
    ) -> None:
        self.app = app
        self.gate = entry_gate.EntryGate(threads - entry_gate.RESERVED_THREADS)
        self.max_body = max_body
        self.main = Lane("http", threads=threads)
        self.apart = dict(apart or {})

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(scope, receive, self.max_body)
        except ClientGone:
            return
        except BodyTooLarge:
            await send_too_large(send, self.max_body)
            return
        env = environ(scope, body)
        lane = self.apart.get(env["PATH_INFO"], self.main)
        if lane.is_full:
            await send_busy(send)
            return
        # One slow reader of a streamed answer would hold the only thread of a narrow lane.
        whole = SENT_WHOLE_UP_TO if lane is self.main else sys.maxsize
        response = Response(asyncio.get_running_loop(), send, whole_up_to=whole)
        watch = asyncio.create_task(response.notice_when_client_leaves(receive))
        try:
            async with self.gate.passing(scope["method"], scope["path"], body) as at_once:
                env[QUEUE_IT] = not at_once
                await lane.run(partial(response.make, self.app, env))
            await response.send_what_is_left()
        finally:
            watch.cancel()
            with suppress(*CLIENT_WENT_AWAY):
                await watch

    def close(self) -> None:
        """Wait for requests that run and end the threads."""
        for lane in (self.main, *self.apart.values()):
            lane.pool.shutdown(wait=True, cancel_futures=True)


async def read_body(scope: Message, receive: Receive, limit: int) -> bytes:
    """Return the complete body; BodyTooLarge above `limit` bytes, ClientGone when cut short."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise BodyTooLarge
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return b"".join(parts)


async def send_too_large(send: Send, limit: int) -> None:
    """Answer 413 as a problem document and close: the rest of the body is not read."""
    text = (
        '{"type":"about:blank","title":"Content Too Large","status":413,'
        f'"detail":"The request body is longer than {limit} bytes.","code":"BODY_TOO_LARGE"}}'
    )
    await _send_problem(send, 413, text, (b"connection", b"close"))


async def send_busy(send: Send) -> None:
    """Answer 503 at once, without a thread."""
    text = (
        '{"type":"about:blank","title":"Service Unavailable","status":503,'
        '"detail":"Too many ask for this at once: try again in a second.","code":"BUSY"}'
    )
    await _send_problem(send, 503, text, (b"retry-after", b"1"))


async def _send_problem(send: Send, status: int, text: str, *more: tuple[bytes, bytes]) -> None:
    body = text.encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def environ(scope: Message, body: bytes) -> Environ:
    """Return the WSGI environment of an ASGI `http` scope with its body (PEP 3333)."""
    root: str = scope.get("root_path", "")
    host, port = scope.get("server") or ("localhost", 80)
    result: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": root.encode().decode("latin1"),
        "PATH_INFO": scope["path"].removeprefix(root).encode().decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "asgi.scope": scope,
    }
    if client := scope.get("client"):
        result["REMOTE_ADDR"], result["REMOTE_PORT"] = client[0], str(client[1])
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin1"), raw_value.decode("latin1")
        if "_" in name or name == "content-length":
            continue  # `X_A` would pass for `X-A`; the length is that of the body we hold
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        joint = ";" if key == "HTTP_COOKIE" else ","
        result[key] = f"{result[key]}{joint}{value}" if key in result else value
    result["CONTENT_LENGTH"] = str(len(body))
    return result


class Response:
    """One answer on its way from a thread to the loop: small ones whole, long ones as a stream."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, send: Send, *, whole_up_to: int = SENT_WHOLE_UP_TO
    ) -> None:
        self.loop = loop
        self.send = send
        self.whole_up_to = whole_up_to
        self.client_left = threading.Event()
        self.start: Message | None = None
        self.whole: bytes | None = None

    async def notice_when_client_leaves(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        self.client_left.set()

    def make(self, app: WsgiApp, env: Environ) -> None:
        """Run `app` (in a thread) and keep its answer, or stream it when it is long."""
        parts = app(env, self.start_response)
        try:
            if self._fits_in_memory():
                self.whole = b"".join(parts)
            else:
                self._stream(parts)
        finally:
            if close := getattr(parts, "close", None):
                close()

    def start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,  # noqa: ARG002
    ) -> Callable[[bytes], None]:
        encoded = [(n.lower().encode("latin1"), v.encode("latin1")) for n, v in headers]
        code = int(status.split(" ", 1)[0])
        self.start = {"type": "http.response.start", "status": code, "headers": encoded}
        return self._no_write

    def _no_write(self, data: bytes) -> None:
        raise NotImplementedError("The site answers with iterables, not with write().")

    def _fits_in_memory(self) -> bool:
        assert self.start is not None
        lengths = [int(v) for n, v in self.start["headers"] if n == b"content-length"]
        return bool(lengths) and lengths[0] <= self.whole_up_to

    def _stream(self, parts: Iterable[bytes]) -> None:
        assert self.start is not None
        self._send_and_wait(self.start)
        self.start = None
        for part in parts:
            if self.client_left.is_set():
                return
            self._send_and_wait({"type": "http.response.body", "body": part, "more_body": True})
        self._send_and_wait({"type": "http.response.body", "body": b""})

    def _send_and_wait(self, message: Message) -> None:
        """Hand `message` to the loop and wait until the socket took it (back-pressure)."""

        async def deliver() -> None:
            await self.send(message)

        asyncio.run_coroutine_threadsafe(deliver(), self.loop).result()

    async def send_what_is_left(self) -> None:
        if self.start is not None:
            await self.send(self.start)
            await self.send({"type": "http.response.body", "body": self.whole or b""})
