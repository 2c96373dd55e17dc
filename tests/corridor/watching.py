"""A browser's ears: log in by the form, open the live socket, listen."""

from __future__ import annotations

import http.cookiejar
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.product import Product


def logged_in_cookies(product: Product) -> str:
    """Log in as the first operator through the form and return the Cookie header."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(jar), urllib.request.ProxyHandler({})
    )
    page = f"{product.site}/desk/login/"
    opener.open(page).read()
    csrf = next(c.value for c in jar if c.name == "csrftoken")
    form = {"username": "operator", "password": product.password, "csrfmiddlewaretoken": csrf}
    request = urllib.request.Request(
        page, urllib.parse.urlencode(form).encode(), {"Referer": page, "Origin": product.site}
    )
    opener.open(request).read()
    assert any(c.name == "sessionid" for c in jar), "the login form did not let us in"
    return "; ".join(f"{c.name}={c.value}" for c in jar)


@contextmanager
def live_socket(product: Product) -> Iterator[ClientConnection]:
    """Open the live socket as a logged-in page does, and wait until it is live."""
    address = f"{product.site.replace('http', 'ws', 1)}/ws/live/"
    headers = {"Cookie": logged_in_cookies(product)}
    with connect(
        address, additional_headers=headers, origin=Origin(product.site), proxy=None
    ) as socket:
        deadline = time.monotonic() + 60
        while not json.loads(socket.recv(timeout=60)).get("live"):
            assert time.monotonic() < deadline, "the socket never became live"
        yield socket


def wait_for_kinds(socket: ClientConnection, uid: str, last: str) -> list[dict[str, Any]]:
    """Collect the events of one signal until one of kind `last` has come."""
    heard: list[dict[str, Any]] = []
    deadline = time.monotonic() + 60
    while last not in [e["kind"] for e in heard]:
        left = deadline - time.monotonic()
        assert left > 0, f"never heard {last}, only {[e['kind'] for e in heard]}"
        message = json.loads(socket.recv(timeout=left))
        heard += [e for e in message.get("events", []) if e["signal_uid"] == uid]
    return heard
