"""Requests that enter never occupy the threads that exits, the kill switch and probes need."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack

import pytest

from petrosa_site.server.entry_gate import EntryGate, is_entry
from petrosa_site.server.wsgi_bridge import WsgiBridge
from tests.unit.stack.asgi_calls import Connection, scope

BUY, CLOSE = b'{"action": "buy"}', b'{"action": "Close"}'


class SlowVenue:
    """A site whose entries wait for the venue; everything else answers at once."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.waiting = 0
        self.queued = 0

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read()
        if environ["petrosa.queue_it"]:
            self.queued += 1
        elif body == BUY:
            self.waiting += 1
            self.answers.wait(10)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]


@pytest.fixture
def venue():
    slow = SlowVenue()
    yield slow
    slow.answers.set()


@pytest.fixture
def bridge(venue):
    with ExitStack() as at_end:
        made = WsgiBridge(venue, threads=4, max_body=1000)
        made.gate = EntryGate(2, wait_seconds=0.2)
        at_end.callback(made.close)
        at_end.callback(venue.answers.set)
        yield made


async def ask(bridge, body: bytes, path: str = "/trade") -> Connection:
    connection = Connection(body)
    asked = scope(path=path) | {"method": "POST"}
    await bridge(asked, connection.receive, connection.send)
    return connection


async def test_an_exit_and_a_probe_are_answered_while_entries_wait_for_the_venue(bridge, venue):
    entries = [asyncio.create_task(ask(bridge, BUY)) for _ in range(10)]
    await asyncio.sleep(0.05)

    async with asyncio.timeout(1):
        assert (await ask(bridge, CLOSE)).status == 200
        assert (await ask(bridge, b"", "/healthz")).status == 200

    assert venue.waiting == 2
    venue.answers.set()
    await asyncio.gather(*entries)


async def test_an_entry_that_finds_no_thread_is_queued_and_none_is_lost(bridge, venue):
    entries = [asyncio.create_task(ask(bridge, BUY)) for _ in range(10)]
    await asyncio.sleep(0.5)

    assert (venue.waiting, venue.queued) == (2, 8)

    venue.answers.set()
    await asyncio.gather(*entries)
    assert all(entry.result().status == 200 for entry in entries)


async def test_a_short_wait_for_a_thread_changes_nothing(bridge, venue):
    entries = [asyncio.create_task(ask(bridge, BUY)) for _ in range(4)]
    await asyncio.sleep(0.05)
    venue.answers.set()
    await asyncio.gather(*entries)

    assert (venue.waiting, venue.queued) == (4, 0)


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/trade", BUY, True),
        ("POST", "/trade/", BUY, True),
        ("POST", "/trade", b"no JSON", True),
        ("POST", "/trade", CLOSE, False),
        ("POST", "/trade", b'{"action" : " SELL "}', False),
        ("POST", "/trade", b'{"action": "buy", "rationale": "sell"}', True),
        ("POST", "/trading/stop", BUY, False),
        ("GET", "/trade", b"", False),
    ],
)
def test_what_does_not_plainly_leave_counts_as_an_entry(method, path, body, expected):
    assert is_entry(method, path, body) is expected
