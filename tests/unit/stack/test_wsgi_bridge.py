import threading
import time

import pytest

from petrosa_site.server.wsgi_bridge import SENT_WHOLE_UP_TO, WsgiBridge
from tests.unit.stack.asgi_calls import Connection, scope


class Site:
    """A WSGI application that answers `answer` and remembers what it was asked."""

    def __init__(self, *answer: bytes, length: int | None = None) -> None:
        self.answer = answer
        self.length = sum(map(len, answer)) if length is None else length
        self.asked: list[dict] = []
        self.closed = False

    def __call__(self, environ, start_response):
        self.asked.append({**environ, "body": environ["wsgi.input"].read()})
        headers = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
        if self.length >= 0:
            headers.append(("Content-Length", str(self.length)))
        start_response("200 OK", headers)
        return self

    def __iter__(self):
        yield from self.answer

    def close(self):
        self.closed = True


async def answered(site, connection, **kwargs):
    bridge = WsgiBridge(site, threads=2, max_body=1000)
    await bridge(scope(**kwargs), connection.receive, connection.send)
    bridge.close()
    return connection


async def test_it_gives_the_whole_body_and_its_real_length():
    site = Site(b"ok")
    await answered(site, Connection(b"abc", b"def"))
    assert site.asked[0]["body"] == b"abcdef"
    assert site.asked[0]["CONTENT_LENGTH"] == "6"
    assert site.asked[0]["QUERY_STRING"] == "a=1"


async def test_it_sends_a_short_answer_in_two_messages_and_closes_it():
    site = Site(b"o", b"k")
    connection = await answered(site, Connection(b""))
    assert (connection.status, connection.body, len(connection.sent)) == (200, b"ok", 2)
    assert site.closed


async def test_it_keeps_repeated_response_headers():
    connection = await answered(Site(b"ok"), Connection(b""))
    cookies = [v for n, v in connection.sent[0]["headers"] if n == b"set-cookie"]
    assert cookies == [b"a=1", b"b=2"]


async def test_it_refuses_an_announced_large_body_without_reading_it():
    site = Site(b"ok")
    connection = Connection(b"x")
    await answered(site, connection, headers=((b"content-length", b"1001"),))
    assert connection.status == 413
    assert connection.incoming
    assert not site.asked


async def test_it_refuses_an_unannounced_large_body():
    site = Site(b"ok")
    connection = await answered(site, Connection(b"x" * 600, b"x" * 600))
    assert connection.status == 413
    assert not site.asked


async def test_a_request_cut_short_never_reaches_the_site():
    site = Site(b"ok")
    connection = await answered(site, Connection(b'{"action":', cut_short=True))
    assert not site.asked
    assert not connection.sent


async def test_an_answer_of_unknown_length_is_streamed():
    connection = await answered(Site(b"a", b"b", length=-1), Connection(b""))
    assert [m.get("body") for m in connection.sent[1:]] == [b"a", b"b", b""]
    assert [m.get("more_body", False) for m in connection.sent[1:]] == [True, True, False]


async def test_a_long_answer_is_streamed():
    connection = await answered(Site(b"a", length=SENT_WHOLE_UP_TO + 1), Connection(b""))
    assert len(connection.sent) == 3


async def test_a_stream_stops_when_the_client_leaves():
    class Endless(Site):
        count = 0

        def __iter__(self):
            while True:
                self.count += 1
                time.sleep(0.01)
                yield b"tick"

    site = Endless(length=-1)
    await answered(site, Connection(b"", leaves=True))
    assert site.closed
    assert site.count < 100


async def test_an_error_of_the_site_reaches_the_server():
    def broken(environ, start_response):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await answered(broken, Connection(b""))


async def test_the_site_runs_in_a_thread_of_the_pool():
    names = []

    def site(environ, start_response):
        names.append(threading.current_thread().name)
        start_response("204 No Content", [("Content-Length", "0")])
        return []

    await answered(site, Connection(b""))
    assert names[0].startswith("http")


async def test_header_names_with_underscores_are_dropped():
    site = Site(b"ok")
    headers = ((b"x_forwarded_for", b"spoof"), (b"x-real", b"1"), (b"x-real", b"2"))
    await answered(site, Connection(b""), headers=headers)
    assert "HTTP_X_FORWARDED_FOR" not in site.asked[0]
    assert site.asked[0]["HTTP_X_REAL"] == "1,2"


async def test_paths_arrive_as_wsgi_wants_them():
    site = Site(b"ok")
    await answered(site, Connection(b""), path="/root/é", root_path="/root")
    assert site.asked[0]["SCRIPT_NAME"] == "/root"
    assert site.asked[0]["PATH_INFO"].encode("latin1").decode() == "/é"
