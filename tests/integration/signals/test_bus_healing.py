"""The bus heals itself: a dead server, a lost store, a deleted consumer or stream."""

import asyncio
import shutil
import time

import pytest

from petrosa_site.stack import servers
from signals_app.gateways.nats import BusUnavailable, SignalBus


@pytest.fixture
def server(tmp_path):
    with servers.started(lambda: servers.nats_server(tmp_path)) as server:
        yield server


async def next_message(bus: SignalBus, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            found = await bus.fetch(1, timeout=0.3)
        except BusUnavailable:
            await asyncio.sleep(0.1)
            continue
        if found:
            await found[0].ack()
            return found[0]
    raise AssertionError("nothing came")


async def published(bus: SignalBus, subject: str, data: bytes) -> None:
    for _ in range(100):
        try:
            await bus.publish(subject, data)
        except BusUnavailable:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError("could not publish")


async def test_a_killed_server_that_comes_back_is_heard_again(server, make_bus, subject):
    bus = make_bus(url=server.url)
    await bus.publish(subject, b"before")
    assert (await next_message(bus)).data == b"before"
    server.kill()
    await asyncio.sleep(0.5)
    server.start()
    await published(make_bus(url=server.url), subject, b"after")
    # The acknowledgement may have died with the server: then the first one comes once more.
    heard = [(await next_message(bus)).data]
    if heard == [b"before"]:
        heard.append((await next_message(bus)).data)
    assert heard[-1] == b"after"


async def test_a_server_that_lost_its_files_is_set_up_again(server, make_bus, subject, tmp_path):
    bus = make_bus(url=server.url)
    await bus.publish(subject, b"before")
    await next_message(bus)
    server.kill()
    shutil.rmtree(tmp_path / "store")
    server.start()
    await published(make_bus(url=server.url), subject, b"after")
    assert (await next_message(bus)).data == b"after"


async def test_a_deleted_consumer_is_made_again(server, make_bus, subject):
    bus = make_bus(url=server.url)
    await bus.publish(subject, b"before")
    await next_message(bus)
    await bus._client.jetstream().delete_consumer("TRADING", bus.durable)
    await bus.publish(subject, b"after")
    # The new durable starts at the beginning: storing twice is the intake's to recognise.
    assert [(await next_message(bus)).data for _ in range(2)] == [b"before", b"after"]


async def test_a_deleted_stream_is_made_again(server, make_bus, subject):
    bus = make_bus(url=server.url)
    await bus.publish(subject, b"before")
    await next_message(bus)
    await bus._client.jetstream().delete_stream("TRADING")
    await published(make_bus(url=server.url), subject, b"after")
    assert (await next_message(bus)).data == b"after"


async def test_a_server_that_starts_late_is_found(make_bus, subject, tmp_path):
    server = servers.nats_server(tmp_path)
    bus = make_bus(url=server.url)
    with pytest.raises(BusUnavailable):
        await bus.fetch(timeout=0.2)
    with server.start():
        await published(make_bus(url=server.url), subject, b"x")
        assert (await next_message(bus)).data == b"x"
