from __future__ import annotations

import json

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from django.contrib.auth.models import User
from django.test import Client

from audit import consumers
from trading.models import Order, TradingState

pytestmark = pytest.mark.django_db(transaction=True)
OURS = [(b"origin", b"http://testserver"), (b"host", b"testserver")]


class Socket:
    """A browser's end of the live socket."""

    def __init__(self, client: Client | None = None, headers=OURS, application=None) -> None:
        from petrosa_site import asgi

        cookies = "" if client is None else f"sessionid={client.cookies['sessionid'].value}"
        scope = {
            "type": "websocket",
            "path": "/ws/live/",
            "query_string": b"",
            "headers": [*headers, (b"cookie", cookies.encode())],
            "subprotocols": [],
        }
        self.end = ApplicationCommunicator(application or asgi.application, scope)

    async def open(self) -> str:
        """Shake hands and return what the server says to that."""
        await self.say(type="websocket.connect")
        return (await self.hear())["type"]

    async def say(self, **message) -> None:
        await self.end.send_input(message)

    async def hear(self) -> dict:
        return await self.end.receive_output(5)

    async def hear_until(self, word: str) -> dict:
        """Wait for a message that has `word` in it."""
        while word not in (said := json.loads((await self.hear())["text"])):
            pass
        return said

    async def close(self) -> None:
        await self.say(type="websocket.disconnect", code=1000)
        await self.end.wait()


@pytest.fixture
def viewer() -> Client:
    """The browser of a person with no permission at all."""
    client = Client()
    client.force_login(User.objects.create_user("ann"))
    return client


async def test_a_stranger_is_sent_away_having_heard_nothing():
    socket = Socket()
    assert await socket.open() == "websocket.accept"

    said = await socket.hear()

    assert (said["type"], said["code"]) == ("websocket.close", consumers.NOT_LOGGED_IN)


async def test_a_page_of_another_site_is_refused(viewer):
    foreign = [(b"origin", b"https://evil.example"), (b"host", b"testserver")]

    assert await Socket(viewer, foreign).open() == "websocket.close"


async def test_a_person_hears_that_it_is_live(viewer):
    socket = Socket(viewer)
    await socket.open()

    assert await socket.hear_until("live")
    await socket.close()


async def test_what_a_client_says_changes_nothing(viewer):
    socket = Socket(viewer)
    await socket.open()

    for words in ('{"action": "buy", "symbol": "BTCUSDT"}', '{"mode": "HALTED"}', "x" * 100_000):
        await socket.say(type="websocket.receive", text=words)
    await socket.say(type="websocket.receive", bytes=b"\x00\xff")

    assert await socket.hear_until("beat")
    assert not await Order.objects.aexists()
    assert not await TradingState.objects.aexists()
    await socket.close()


class Watchful(consumers.LiveConsumer):
    recheck_seconds = 0.2


async def test_who_is_switched_off_stops_hearing(viewer):
    socket = Socket(viewer, application=AuthMiddlewareStack(Watchful.as_asgi()))
    await socket.open()
    await socket.hear_until("live")

    await User.objects.aupdate(is_active=False)

    while (said := await socket.hear())["type"] != "websocket.close":
        pass
    assert said["code"] == consumers.NOT_LOGGED_IN
