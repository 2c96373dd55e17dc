"""The stream is made when missing, widened when narrow, and never narrowed."""

import asyncio

import pytest
from nats.aio.client import Client
from nats.js import api

from petrosa_site.stack import servers
from signals_app.gateways.nats import covers
from tests.integration.signals.test_bus_delivery import everything


@pytest.fixture
def server(tmp_path):
    with servers.started(lambda: servers.nats_server(tmp_path)) as server:
        yield server


@pytest.fixture
async def jetstream(server):
    client = Client()
    await client.connect(server.url)
    yield client.jetstream()
    await client.close()


async def test_the_stream_is_kept_in_files_and_leaves_market_data_alone(
    server, jetstream, make_bus
):
    await make_bus(url=server.url).open()
    config = (await jetstream.stream_info("TRADING")).config
    assert config.storage == api.StorageType.FILE
    assert config.duplicate_window >= 120
    assert config.max_age == 7 * 24 * 3600
    assert "signals.>" in config.subjects
    assert "tradeengine.>" in config.subjects
    assert not any(covers(subject, "binance.btcusdt") for subject in config.subjects)


async def test_an_existing_stream_keeps_its_subjects_and_limits(server, jetstream, make_bus):
    await jetstream.add_stream(name="TRADING", subjects=["signals.trading", "old.>"], max_age=60)
    await make_bus(url=server.url).open()
    config = (await jetstream.stream_info("TRADING")).config
    assert config.max_age == 60
    for subject in ("old.x", "signals.trading", "signals.other", "tradeengine.orders"):
        assert any(covers(kept, subject) for kept in config.subjects)


async def test_a_stream_of_somebody_else_on_our_subject_is_used(server, jetstream, make_bus):
    await jetstream.add_stream(name="THEIRS", subjects=["signals.>"])
    bus = make_bus(url=server.url, subjects=("signals.trading",))
    await bus.open()
    assert bus.stream == "THEIRS"
    await jetstream.publish("signals.trading", b"x")
    assert len(await everything(bus, 1)) == 1


async def test_a_subject_outside_the_usual_ones_is_captured_too(server, make_bus):
    bus = make_bus(url=server.url, subjects=("desk.ideas", "signals.trading"))
    await bus.publish("desk.ideas", b"x")
    assert len(await everything(bus, 1)) == 1


async def test_many_listeners_may_start_at_once(server, make_bus):
    await asyncio.gather(*(make_bus(url=server.url).open() for _ in range(8)))


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("signals.>", "signals.trading", True),
        ("signals.>", "signals", False),
        ("signals.*", "signals.trading", True),
        ("signals.*", "signals.a.b", False),
        ("signals.*", "signals.>", False),
        (">", "signals.>", True),
        ("signals.trading", "signals.*", False),
        ("a.*.c", "a.b.c", True),
    ],
)
def test_a_subject_covers_another(wide, narrow, expected):
    assert covers(wide, narrow) is expected
