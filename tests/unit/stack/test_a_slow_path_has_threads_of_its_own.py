import asyncio
import threading
import time

import pytest

from petrosa_site.server.wsgi_bridge import SENT_WHOLE_UP_TO, Lane, WsgiBridge
from tests.unit.stack.asgi_calls import Connection, scope


class Site:
    """Answers /slow only when it is let go, and everything else at once."""

    def __init__(self):
        self.let_go = threading.Event()
        self.length = 2

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            self.let_go.wait(10)
        start_response("200 OK", [("Content-Length", str(self.length))])
        return [b"x" * self.length]


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def bridge(site):
    made = WsgiBridge(
        site, threads=1, max_body=100, apart={"/slow": Lane("slow", threads=1, waiting=1)}
    )
    yield made
    site.let_go.set()
    made.close()


async def ask(bridge, path):
    connection = Connection(b"")
    await bridge(scope(path=path), connection.receive, connection.send)
    return connection


async def test_other_paths_are_answered_meanwhile(site, bridge):
    slow = [asyncio.create_task(ask(bridge, "/slow")) for _ in range(8)]
    await asyncio.sleep(0.05)
    began = time.monotonic()
    assert (await ask(bridge, "/healthz")).status == 200
    assert time.monotonic() - began < 1
    site.let_go.set()
    await asyncio.gather(*slow)


async def test_more_than_may_wait_are_sent_away_at_once(site, bridge):
    slow = [asyncio.create_task(ask(bridge, "/slow")) for _ in range(5)]
    done, waiting = await asyncio.wait(slow, timeout=0.5)
    assert len(waiting) == 2
    for task in done:
        refused = task.result()
        assert refused.status == 503
        assert (b"retry-after", b"1") in refused.sent[0]["headers"]
        assert b'"code":"BUSY"' in refused.body
    site.let_go.set()
    assert {(await task).status for task in waiting} == {200}


async def test_room_is_given_back(site, bridge):
    site.let_go.set()
    for _ in range(5):
        assert (await ask(bridge, "/slow")).status == 200


async def test_a_slow_reader_does_not_hold_the_thread(site, bridge):
    """A long answer leaves the thread whole: else one reader could shut the path for all."""
    site.let_go.set()
    site.length = SENT_WHOLE_UP_TO + 1
    stuck = Connection(b"")
    reading = asyncio.Event()

    async def never(message):
        reading.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(bridge(scope(path="/slow"), stuck.receive, never))
    await reading.wait()
    assert (await asyncio.wait_for(ask(bridge, "/slow"), 5)).status == 200
    task.cancel()
