"""Recording -> simulator -> feed -> NATS: two runs say the same, but for when it was heard."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import nats
import pytest
from django.conf import settings

from exchanges.market_data.feed import Feed
from exchanges.market_data.publisher import Publisher
from exchanges.venues import registry
from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR

RECORDING = (
    Path(__file__).resolve().parents[4] / "shared/binance/data/hftbacktest/spot/btcusdt_20240808.gz"
)
LINES = 8_000


async def published(venue: SimulatorProcess) -> list[Any]:
    heard: list[Any] = []

    async def note(message: Any) -> None:
        told = json.loads(message.data)
        assert told.pop("received_ms") > 0
        heard.append((message.subject, told))

    client = await nats.connect(settings.NATS_URL)
    await client.subscribe("recorded.binance.spot.simulator.BTCUSDT.>", cb=note)
    await client.flush()
    publisher = Publisher(url=settings.NATS_URL, topic="recorded", venue=SIMULATOR)
    feed = Feed(SIMULATOR, url=venue.stream_url, publisher=publisher)
    feed.want(["BTCUSDT", "ETHUSDT"])
    running = asyncio.create_task(feed.run())
    count = -1
    while count != len(heard) or not heard:
        count = len(heard)
        await asyncio.sleep(1)
    feed.stop()
    await asyncio.wait_for(running, 60)
    await client.close()
    assert publisher.outbox.dropped == {}
    return heard


def run_of(recording: Path, speed: int) -> list[Any]:
    with (
        SimulatorProcess(prices=f"replay:{recording}?speed={speed},after=1") as venue,
        registry.standing_in(SIMULATOR, FakeExchange()),
    ):
        return asyncio.run(published(venue))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    import gzip
    from itertools import islice

    path = tmp_path / "part.jsonl"
    with gzip.open(RECORDING, "rt") as lines, path.open("w") as part:
        part.writelines(islice(lines, LINES))
    return path


@pytest.mark.skipif(not RECORDING.exists(), reason="the recorded market data is not here")
def test_two_runs_publish_the_same(recording: Path) -> None:
    first = run_of(recording, 0)
    assert len(first) > 7_000
    assert {subject.rpartition(".")[2] for subject, _ in first} == {
        "best",
        "depth",
        "trade",
        "ticker",
        "kline",
    }
    assert first == run_of(recording, 30)
