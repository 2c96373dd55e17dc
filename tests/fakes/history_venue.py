"""A real HTTP server that has a past: candles, funding rates and trades, spot and USD-M.

    with HistoryVenue() as venue:
        venue.has(candles(100))
        venue.lost(first_ms, last_ms)      # an outage: the venue has nothing of it
        venue.fail_next(3)
        venue.pages                        # the calls that were made, clock aside

It answers like Binance: the first `limit` rows from `startTime` on, the running candle last.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from exchanges.domain.candles import Candle, length_ms
from exchanges.venues.binance.kline_rows import AggTrade


class HistoryVenue:
    """Everything it has is of one symbol and interval; others are unknown or empty."""

    def __init__(self, symbol: str = "BTCUSDT", interval: str = "1m") -> None:
        self.symbol, self.interval = symbol, interval
        self.candles: dict[int, Candle] = {}
        self.fundings: list[dict[str, Any]] = []
        self.trades: list[AggTrade] = []
        self.now_ms: int | None = None
        self.used_weight = 0
        self.stall_seconds = 0.0
        self.pages: list[tuple[str, dict[str, str]]] = []
        self._answers: deque[tuple[int, bytes, dict[str, str]]] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> HistoryVenue:
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

    def has(self, rows: list[Candle]) -> None:
        self.candles |= {row.opened_ms: row for row in rows}

    def lost(self, first_ms: int, last_ms: int) -> None:
        self.candles = {
            at: row for at, row in self.candles.items() if not first_ms <= at <= last_ms
        }

    def fail_next(self, times: int = 1, *, status: int = 503) -> None:
        self._answers += [(status, b"<html>busy</html>", {})] * times

    def answer_next(
        self, body: object, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self._answers.append((status, json.dumps(body).encode(), headers or {}))

    # ---- inside ---------------------------------------------------------------------------

    def take(self, path: str, params: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        name = path.rsplit("/", 1)[-1]
        if name == "time":
            now = self.now_ms or time.time_ns() // 1_000_000
            return 200, json.dumps({"serverTime": now}).encode(), {}
        self.pages.append((path, params))
        time.sleep(self.stall_seconds)
        if self._answers:
            return self._answers.popleft()
        if params["symbol"] != self.symbol:
            return 400, b'{"code":-1121,"msg":"Invalid symbol."}', {}
        rows = getattr(self, f"_{name}")(params)
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.used_weight)} if self.used_weight else {}
        return 200, json.dumps(rows).encode(), headers

    def _klines(self, params: dict[str, str]) -> list[Any]:
        if params["interval"] != self.interval:
            return []
        start, end = int(params["startTime"]), int(params["endTime"])
        rows = [self.candles[at] for at in sorted(self.candles) if start <= at <= end]
        length = length_ms(self.interval)
        return [_kline(row, length) for row in rows[: int(params["limit"])]]

    def _fundingRate(self, params: dict[str, str]) -> list[Any]:
        start, end = int(params["startTime"]), int(params["endTime"])
        rows = [row for row in self.fundings if start <= row["fundingTime"] <= end]
        return rows[: int(params["limit"])]

    def _aggTrades(self, params: dict[str, str]) -> list[Any]:
        if "fromId" in params:
            rows = [t for t in self.trades if t.trade_id >= int(params["fromId"])]
        else:
            start, end = int(params["startTime"]), int(params["endTime"])
            rows = [t for t in self.trades if start <= t.at_ms <= end]
        return [
            {
                "a": t.trade_id,
                "p": str(t.price),
                "q": str(t.quantity),
                "f": t.trade_id * 2,
                "l": t.trade_id * 2 + t.trades - 1,
                "T": t.at_ms,
                "m": t.buyer_is_maker,
            }
            for t in rows[: int(params["limit"])]
        ]


def _kline(candle: Candle, length: int) -> list[Any]:
    prices = map(str, candle[1:6])
    closes = candle.opened_ms + length - 1
    taker = (str(candle.taker_volume), str(candle.taker_quote_volume))
    return [candle.opened_ms, *prices, closes, str(candle.quote_volume), candle.trades, *taker, "0"]


def _handler_for(venue: HistoryVenue) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, body, headers = venue.take(parts.path, dict(parse_qsl(parts.query)))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    return Handler
