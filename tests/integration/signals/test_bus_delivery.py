"""What is published is delivered until it is acknowledged, to one listener at a time."""

import asyncio
import time

import nats
import pytest
from django.conf import settings

from signals_app.gateways.nats import DEAD_SUBJECT, BusUnavailable, InboundMessage, SignalBus


async def everything(bus: SignalBus, count: int, *, seconds: float = 60) -> list[InboundMessage]:
    found: list[InboundMessage] = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        for message in await bus.fetch(timeout=0.2):
            await message.ack()
            found.append(message)
    return found


async def test_a_message_arrives_with_where_it_came_from(make_bus, subject):
    bus = make_bus()
    published = await bus.publish(subject, b"buy", msg_id="id-1")
    (message,) = await everything(bus, 1)
    assert message.data == b"buy"
    assert (message.subject, message.msg_id) == (subject, "id-1")
    assert (message.stream, message.stream_sequence) == ("TRADING", published.sequence)
    assert message.delivered_count == 1
    assert message.stored_at.tzinfo is not None


async def test_a_client_without_jetstream_is_heard_too(make_bus, subject):
    bus = make_bus()
    await bus.open()
    client = await nats.connect(settings.NATS_URL)
    await client.publish(subject, b"plain")
    await client.close()
    (message,) = await everything(bus, 1)
    assert (message.data, message.msg_id) == (b"plain", "")


async def test_one_waiting_message_is_handed_over_at_once(make_bus, subject):
    bus = make_bus()
    await bus.open()
    waiting = asyncio.create_task(bus.fetch(100, timeout=30))
    await asyncio.sleep(0.2)
    started = time.perf_counter()
    await bus.publish(subject, b"x")
    assert await waiting or await bus.fetch(100, timeout=30)
    assert time.perf_counter() - started < 15


async def test_nothing_there_gives_nothing_after_the_timeout(make_bus):
    bus = make_bus()
    await bus.fetch(timeout=0.1)
    assert await bus.fetch(timeout=0.1) == []


async def test_a_burst_comes_in_batches_and_in_order(make_bus, subject):
    bus = make_bus()
    for number in range(250):
        await bus.publish(subject, str(number).encode())
    found = await everything(bus, 250)
    assert [int(message.data) for message in found] == list(range(250))


async def test_an_unacknowledged_message_comes_again(make_bus, subject):
    bus = make_bus(ack_wait=0.5)
    await bus.publish(subject, b"x")
    (first,) = await everything_unacknowledged(bus)
    (again,) = await everything_unacknowledged(bus)
    assert again.stream_sequence == first.stream_sequence
    assert again.delivered_count == 2
    assert again.stored_at == first.stored_at


async def everything_unacknowledged(bus: SignalBus) -> list:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := await bus.fetch(timeout=0.2):
            return found
    return []


async def test_a_message_still_worked_on_does_not_come_again(make_bus, subject):
    bus = make_bus(ack_wait=1.5)
    await bus.publish(subject, b"x")
    (message,) = await everything_unacknowledged(bus)
    for _ in range(5):
        await asyncio.sleep(0.4)
        await message.in_progress()
    assert await bus.fetch(timeout=0.5) == []
    await message.ack()


async def test_listeners_share_the_messages(make_bus, subject):
    one, other = make_bus(), make_bus()
    for number in range(60):
        await one.publish(subject, str(number).encode())
    numbers: list[int] = []

    async def take(bus: SignalBus) -> None:
        while len(numbers) < 60:
            numbers.extend([int(message.data) for message in await everything(bus, 1, seconds=0.3)])

    await asyncio.wait_for(asyncio.gather(take(one), take(other)), 60)
    assert sorted(numbers) == list(range(60))


async def test_a_repeated_message_id_is_stored_once(make_bus, subject):
    bus = make_bus()
    first = await bus.publish(subject, b"x", msg_id="same")
    second = await bus.publish(subject, b"x", msg_id="same")
    assert (first.duplicate, second.duplicate) == (False, True)
    assert len(await everything(bus, 2, seconds=1)) == 1


async def test_closing_gives_back_what_was_not_handed_out(make_bus, subject):
    one, other = make_bus(), make_bus()
    for number in range(5):
        await one.publish(subject, str(number).encode())
    first = await one.fetch(1, timeout=30) or await one.fetch(1, timeout=30)
    await one._ask(100)  # the other four are on their way to `one`
    await asyncio.sleep(0.2)
    await first[0].ack()
    await one.close()
    assert len(await everything(other, 4, seconds=15)) == 4


async def test_a_buried_message_is_kept_and_comes_no_more(make_bus, subject):
    bus = make_bus(ack_wait=0.3)
    await bus.publish(subject, b"cursed")
    (message,) = await everything_unacknowledged(bus)
    await bus.bury(message, "ValueError: no\r\nway")
    await asyncio.sleep(0.5)
    assert await everything(bus, 1, seconds=0.6) == []
    kept = await bus._client.jetstream().get_last_msg("TRADING", DEAD_SUBJECT)
    assert kept.data == b"cursed"
    assert kept.headers["Petrosa-Subject"] == subject
    assert kept.headers["Petrosa-Reason"] == "ValueError: no way"


async def test_a_server_that_is_not_there_is_reported(make_bus):
    bus = make_bus(url="nats://user:secret@127.0.0.1:1")
    with pytest.raises(BusUnavailable) as caught:
        await bus.open()
    assert "secret" not in str(caught.value)
