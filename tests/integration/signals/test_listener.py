"""The listener stores first, acknowledges after, and loses nothing whatever is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import asynccontextmanager

import pytest

from signals_app.listener import Listener
from tests.integration.signals.ledger import ListStore
from tests.integration.signals.test_bus_delivery import everything


@pytest.fixture
def store() -> ListStore:
    return ListStore()


@asynccontextmanager
async def running(bus, store: ListStore, **options):
    counted: list[str] = []
    listener = Listener(
        bus=bus,
        store=store.store_many,
        enqueue=store.enqueue,
        count=counted.append,
        retry_seconds=0.05,
        most_retry_seconds=0.2,
        **options,
    )
    task = asyncio.create_task(listener.run())
    try:
        yield listener, counted
    finally:
        store.hold.set()
        listener.stop()
        await asyncio.wait_for(task, 60)


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.01)


async def unacknowledged(bus) -> object:
    info = await bus._client.jetstream().consumer_info(bus.stream, bus.durable)
    return info.num_ack_pending + info.num_pending


async def test_a_signal_is_stored_acknowledged_and_enqueued(make_bus, subject, store):
    bus = make_bus()
    async with running(bus, store) as (listener, counted):
        await bus.publish(subject, b"buy", msg_id="m-1")
        await until(lambda: store.enqueued)
        await until(lambda: listener.stored == 1)
        assert await unacknowledged(bus) == 0
    (row,) = store.rows
    assert (row.source, row.body, row.subject, row.dedupe_key) == (
        "nats",
        b"buy",
        subject,
        "nats:m-1",
    )
    assert store.enqueued == [1]
    assert counted == ["received"]


async def test_a_rejected_signal_is_acknowledged_but_not_enqueued(make_bus, subject, store):
    bus = make_bus()
    async with running(bus, store) as (_, counted):
        await bus.publish(subject, b"bad payload")
        await until(lambda: counted)
        assert await unacknowledged(bus) == 0
    assert (counted, store.enqueued) == (["rejected"], [])


async def test_nothing_is_acknowledged_before_the_commit(make_bus, subject, store):
    bus = make_bus()
    async with running(bus, store):
        store.hold.clear()
        await bus.publish(subject, b"buy")
        await asyncio.sleep(0.3)
        assert await unacknowledged(bus) == 1
        store.hold.set()
        await until(lambda: store.enqueued)


async def test_a_slow_commit_is_not_delivered_to_somebody_else(make_bus, subject, store):
    bus, other = make_bus(ack_wait=1.5), make_bus(ack_wait=1.5)
    async with running(bus, store):
        store.hold.clear()
        await bus.publish(subject, b"buy")
        await asyncio.sleep(0.3)
        assert await everything(other, 1, seconds=2) == []
        store.hold.set()
        await until(lambda: store.enqueued)


async def test_a_database_that_is_away_loses_nothing(make_bus, subject, store):
    bus = make_bus(ack_wait=0.6)
    store.go_down()
    async with running(bus, store) as (listener, _):
        for number in range(20):
            await bus.publish(subject, b"%d" % number)
        await until(lambda: listener.state == "database unavailable")
        await asyncio.sleep(1)
        assert listener.status() is not None
        store.come_back()
        await until(lambda: len(store.rows) == 20)
        await until(lambda: listener.state == "listening")
    assert sorted(store.bodies, key=int) == [b"%d" % number for number in range(20)]


async def test_stopping_while_the_database_is_away_gives_the_messages_to_others(
    make_bus, subject, store
):
    bus, other = make_bus(), make_bus()
    store.go_down()
    async with running(bus, store) as (listener, _):
        await bus.publish(subject, b"buy")
        await until(lambda: listener.state == "database unavailable")
    assert len(await everything(other, 1, seconds=15)) == 1  # long before ack_wait has passed


async def test_stopping_finishes_the_batch_in_hand(make_bus, subject, store):
    bus, other = make_bus(), make_bus()
    async with running(bus, store) as (listener, _):
        store.hold.clear()
        await bus.publish(subject, b"buy")
        await asyncio.sleep(0.3)
        listener.stop()
        store.hold.set()
    assert store.bodies == [b"buy"]
    assert store.enqueued == [1]
    assert await everything(other, 1, seconds=0.5) == []


async def test_a_message_the_database_refuses_does_not_hold_up_the_others(make_bus, subject, store):
    bus = make_bus()
    store.refuse(b"cursed")
    for body in (b"one", b"cursed", b"two"):
        await bus.publish(subject, body)
    async with running(bus, store) as (_, counted):
        await until(lambda: len(store.rows) == 2)
        assert "failed" in counted
        await bus.publish(subject, b"three")
        await until(lambda: b"three" in store.bodies)
        store.poison.clear()
        await until(lambda: b"cursed" in store.bodies)  # it came again, and nothing was lost


async def test_a_message_refused_for_ever_is_buried(make_bus, subject, store):
    bus = make_bus()
    store.refuse(b"cursed")
    async with running(bus, store, max_tries=1) as (_, counted):
        await bus.publish(subject, b"cursed")
        await until(lambda: counted == ["failed"])
        await asyncio.sleep(0.3)
        assert await unacknowledged(bus) == 0
        kept = await bus._client.jetstream().get_last_msg("TRADING", "petrosa.dead.signals")
    assert kept.data == b"cursed"


async def test_a_broker_that_is_away_does_not_stop_storing(make_bus, subject, store):
    bus = make_bus()
    store.broker_is_down = True
    async with running(bus, store) as (listener, _):
        await bus.publish(subject, b"one")
        await until(lambda: listener.stored == 1)
        await bus.publish(subject, b"two")
        await until(lambda: listener.stored == 2)
        assert await unacknowledged(bus) == 0


async def test_a_commit_nobody_heard_of_is_found_again_not_doubled(make_bus, subject, store):
    bus = make_bus()
    store.lose_the_next_answer()
    async with running(bus, store) as (_, counted):
        await bus.publish(subject, b"buy")
        await until(lambda: counted)
    assert counted == ["repeated"]
    assert store.bodies == [b"buy"]
    assert store.enqueued == [1]  # still waiting for somebody to act on it


async def test_a_burst_is_stored_in_few_commits(make_bus, subject, store):
    bus = make_bus()
    for number in range(300):
        await bus.publish(subject, b"%d" % number)
    async with running(bus, store) as (listener, _):
        await until(lambda: listener.stored == 300)
    assert store.bodies == [b"%d" % number for number in range(300)]
    assert len(store.batches) < 30
    assert max(store.batches) <= 100


async def test_a_heartbeat_on_its_subjects_is_no_signal(make_bus, subject, store):
    bus = make_bus()
    async with running(bus, store, ignored=frozenset({subject})) as (listener, counted):
        await bus.publish(subject, b'{"type":"heartbeat"}')
        await until(lambda: listener.state == "listening")
        async with asyncio.timeout(60):
            while await unacknowledged(bus):
                await asyncio.sleep(0.05)
    assert (store.rows, counted) == ([], [])


async def test_a_close_is_stored_before_the_thousand_entries_it_came_behind(
    make_bus, subject, store
):
    bus = make_bus()
    for number in range(1000):
        await bus.publish(subject, b'{"action": "buy", "n": %d}' % number)
    await bus.publish(subject, b'{"action": "close"}')
    async with running(bus, store):
        await until(lambda: len(store.rows) == 1001)
    place = store.bodies.index(b'{"action": "close"}')
    assert place <= 200, place
    rest = [body for body in store.bodies if b"buy" in body]
    assert rest == [b'{"action": "buy", "n": %d}' % number for number in range(1000)]


async def test_exits_are_told_apart_from_entries(make_bus, subject, store):
    bus = make_bus()
    async with running(bus, store):
        for body in (b'{"action": "buy"}', b'{"action": "CLOSE"}', b'{"action": "sell"}'):
            await bus.publish(subject, body)
        await until(lambda: len(store.enqueued) == 3)
    assert [store.bodies[pk - 1] for pk in store.exits] == [
        b'{"action": "CLOSE"}',
        b'{"action": "sell"}',
    ]


async def test_what_is_held_in_hand_is_not_given_to_somebody_else(make_bus, subject, store):
    bus, other = make_bus(ack_wait=0.6), make_bus(ack_wait=0.6)
    for number in range(3):
        await bus.publish(subject, b"%d" % number)
    store.hold.clear()
    async with running(bus, store, batch=1):
        await asyncio.sleep(0.3)
        assert await everything(other, 1, seconds=1.5) == []
        store.hold.set()
        await until(lambda: len(store.rows) == 3)


async def test_stopping_gives_back_what_is_held_in_hand(make_bus, subject, store):
    bus, other = make_bus(), make_bus()
    for number in range(3):
        await bus.publish(subject, b"%d" % number)
    async with running(bus, store, batch=1) as (listener, _):
        store.hold.clear()
        await asyncio.sleep(0.5)
        listener.stop()
        store.hold.set()
    assert store.bodies == [b"0"]
    assert len(await everything(other, 2, seconds=5)) == 2
