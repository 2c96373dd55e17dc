"""One HTTP request, sent once, with a clear word on whether it left.

It takes the place of the `requests` session inside python-binance: half the time per call, no
look into proxy variables or .netrc, no redirect followed (a redirected POST would come back as a
GET), nothing repeated; and urllib3's own errors tell "never connected" from "lost on the way",
which requests folds into one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import certifi
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    URLSchemeUnknown,
)

from exchanges.venues.binance.error_mapping import Reply

NOTHING_LEFT = (NewConnectionError, ConnectTimeoutError, LocationParseError, URLSchemeUnknown)


class ConnectionNeverMade(Exception):
    """No byte left this machine."""


class ConnectionLost(Exception):
    """The request may have left; no whole answer came back."""


class Transport:
    """The part of a `requests.Session` that python-binance's sync client calls."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers) | {"Accept-Encoding": "gzip"}
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=1, ca_certs=certifi.where())

    def get(self, uri: str, **call: object) -> Reply:
        return self._send("GET", uri, **call)  # type: ignore[arg-type]

    def post(self, uri: str, **call: object) -> Reply:
        return self._send("POST", uri, **call)  # type: ignore[arg-type]

    def put(self, uri: str, **call: object) -> Reply:
        return self._send("PUT", uri, **call)  # type: ignore[arg-type]

    def delete(self, uri: str, **call: object) -> Reply:
        return self._send("DELETE", uri, **call)  # type: ignore[arg-type]

    def close(self) -> None:
        self._pool.clear()

    def _send(
        self,
        method: str,
        uri: str,
        *,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        params: str = "",
        data: Sequence[tuple[str, str]] = (),
    ) -> Reply:
        """Raise ConnectionNeverMade or ConnectionLost when no whole answer came."""
        try:
            answer = self._pool.urlopen(
                method,
                f"{uri}?{params}" if params else uri,
                body=urlencode(data) if data else None,
                headers=self._headers | dict(headers or {}),
                timeout=urllib3.Timeout(connect=timeout, read=timeout),
                retries=False,
                redirect=False,
            )
        except NOTHING_LEFT as error:
            raise ConnectionNeverMade(_short(error)) from error
        except (HTTPError, OSError) as error:
            raise ConnectionLost(_short(error)) from error
        return Reply(answer.status, answer.data, answer.headers)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
