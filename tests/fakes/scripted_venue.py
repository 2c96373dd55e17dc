"""A real HTTP server on a free port that answers what it is told, fault by fault.

    with ScriptedVenue() as venue:
        venue.answer_next(status=503, body=b"<html>busy</html>")
        venue.hang_up_next()
        ...
        venue.seen[-1].params["recvWindow"]

Answers are used in order; the clock (`/api/v3/time`) answers by itself unless told otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

API_KEY = "scripted-key"
API_SECRET = "scripted-secret"

FILLED_ORDER = {
    "symbol": "BTCUSDT",
    "orderId": 28,
    "orderListId": -1,
    "clientOrderId": "entry-1",
    "transactTime": 1795262400123,
    "price": "0.00000000",
    "origQty": "0.10000000",
    "executedQty": "0.10000000",
    "origQuoteOrderQty": "0.00000000",
    "cummulativeQuoteQty": "4500.10000000",
    "status": "FILLED",
    "timeInForce": "GTC",
    "type": "MARKET",
    "side": "BUY",
    "workingTime": 1795262400123,
    "selfTradePreventionMode": "EXPIRE_MAKER",
    "fills": [
        {
            "price": "45001.00000000",
            "qty": "0.10000000",
            "commission": "0.00010000",
            "commissionAsset": "BTC",
            "tradeId": 56,
        }
    ],
}


@dataclass(frozen=True)
class SeenRequest:
    method: str
    path: str
    query: str
    form: str
    headers: Mapping[str, str]

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query + ("&" if self.query and self.form else "") + self.form))

    @property
    def is_signed_rightly(self) -> bool:
        """Check as Binance does: the HMAC covers the percent-encoded text as it came."""
        payload, _, signature = (self.query + self.form).rpartition("&signature=")
        digest = hmac.new(API_SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        return digest == signature


@dataclass(frozen=True)
class _Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"
    stall_seconds: float = 0.0
    hang_up: str = ""  # "before" or "within" the reply


class ScriptedVenue:
    """A venue whose every answer is written in the test."""

    def __init__(self) -> None:
        self.seen: list[SeenRequest] = []
        self.clock_skew_ms = 0
        self.clock_stall_seconds = 0.0
        self.headers: dict[str, str] = {}
        self._answers: deque[_Answer] = deque()
        self._clock_answers: deque[_Answer] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> ScriptedVenue:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    # ---- verbs ----------------------------------------------------------------------------

    def answer_next(
        self,
        body: object = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        stall_seconds: float = 0.0,
    ) -> None:
        """Answer the next call; `body` is sent as it is when bytes, as JSON otherwise."""
        raw = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        self._answers.append(_Answer(status, raw, headers or {}, stall_seconds=stall_seconds))

    def refuse_next(
        self, status: int, code: int, text: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.answer_next({"code": code, "msg": text}, status=status, headers=headers)

    def fill_next(self, **changes: object) -> None:
        """Answer the next order with a whole fill."""
        self.answer_next(FILLED_ORDER | changes)

    def hang_up_next(self, *, when: str = "before") -> None:
        """Read the next call, then close the line before the reply, or 'within' it."""
        self._answers.append(_Answer(body=b'{"symbol":"BTCUSDT"}', hang_up=when))

    def break_clock_next(self, status: int = 503, body: bytes = b"busy") -> None:
        self._clock_answers.append(_Answer(status, body))

    # ---- looking at it --------------------------------------------------------------------

    def calls(self, path: str) -> list[SeenRequest]:
        return [request for request in self.seen if request.path == f"/api/v3/{path}"]

    @property
    def trades_seen(self) -> list[SeenRequest]:
        """Every call but those to the clock."""
        return [request for request in self.seen if request.path != "/api/v3/time"]

    # ---- inside ---------------------------------------------------------------------------

    def take(self, request: SeenRequest) -> _Answer:
        self.seen.append(request)
        if request.path == "/api/v3/time":
            if self._clock_answers:
                return self._clock_answers.popleft()
            now = int(time.time() * 1000) + self.clock_skew_ms
            body = json.dumps({"serverTime": now}).encode()
            return _Answer(body=body, stall_seconds=self.clock_stall_seconds)
        return self._answers.popleft() if self._answers else _Answer()


def _handler_for(venue: ScriptedVenue) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            form = self.rfile.read(length).decode() if length else ""
            answer = venue.take(
                SeenRequest(self.command, parts.path, parts.query, form, dict(self.headers))
            )
            time.sleep(answer.stall_seconds)
            if answer.hang_up == "before":
                self._hang_up()
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            more = 100 if answer.hang_up else 0
            self.send_header("Content-Length", str(len(answer.body) + more))
            for name, value in (venue.headers | dict(answer.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            if answer.hang_up:
                self._hang_up()

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet: the test's own words are enough."""

    return Handler
