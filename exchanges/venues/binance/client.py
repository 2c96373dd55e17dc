"""python-binance's sync client, made safe to put real orders through.

What it changes, and why (python-binance 1.0.37):
- replies are handed on as they are: its own reading dies with AttributeError on a JSON list,
  and its errors carry neither headers nor the difference between "refused" and "unknown";
- `recvWindow` is set on the instance before each call: whatever a call passes is overwritten;
- requests leave by our own `transport`, once and without detours;
- the constructor makes an event loop for sockets that a sync client never opens: it is built
  in a thread of its own, so that the caller's loop and file descriptors stay untouched.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal

from binance.client import Client

from exchanges.venues.binance.error_mapping import Reply
from exchanges.venues.binance.transport import Transport
from exchanges.venues.shared.timeouts import Patience

Method = Literal["get", "post", "put", "delete"]


class VenueClient(Client):
    """Signs and sends; returns every HTTP answer as a `Reply`."""

    def __init__(
        self,
        *,
        rest_url: str,
        api_key: str,
        api_secret: str,
    ) -> None:
        super().__init__(
            api_key or None,
            api_secret or None,
            ping=False,
        )
        self.API_URL = rest_url.rstrip("/").removesuffix("/api") + "/api"

    def _init_session(self) -> Transport:  # type: ignore[override]  # it serves as one
        return Transport(self._get_headers())

    @staticmethod
    def _handle_response(response: Reply) -> Reply:  # type: ignore[override]  # ours, not theirs
        return response

    def call(
        self,
        method: Method,
        path: str,
        params: Mapping[str, str],
        *,
        patience: Patience,
        signed: bool,
    ) -> Reply:
        """Send one request once. Raise ConnectionNeverMade or ConnectionLost without an answer."""
        self.REQUEST_RECVWINDOW = patience.recv_window_ms  # one thread, one client
        data = {**params, "requests_params": {"timeout": patience.timeout_seconds}}
        reply: Reply = self._request_api(method, path, signed, data=data)
        return reply


def build(**settings: Any) -> VenueClient:
    """Build a client without leaving an event loop behind in the calling thread."""
    built: list[VenueClient] = []
    failed: list[BaseException] = []

    def make() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            built.append(VenueClient(**settings))
        except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
            failed.append(error)
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    thread = threading.Thread(target=make, name="venue-client-build")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return built[0]


class Stopwatch:
    """Milliseconds since it was made."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    @property
    def ms(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 2)
