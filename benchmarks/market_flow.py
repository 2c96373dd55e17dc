"""Market data: from the venue's bytes to a message on NATS, and from there to a consumer.

`decoding` is what one frame costs before anything is sent: telling what it is, dropping what is no
news, noting its age, the envelope. `publishing` is a feed's own road onto a real NATS server with a
consumer behind it: frames a second, and how long one that goes alone is under way.
"""

from __future__ import annotations

import asyncio
import gzip
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import nats

from benchmarks.figures import quantile, summary
from exchanges.domain.venues import venue
from exchanges.market_data.ages import Ages
from exchanges.market_data.frames import Frame, Reader
from exchanges.market_data.numbers import Numbers
from exchanges.market_data.outbox import Outbox
from exchanges.market_data.publisher import Publisher
from petrosa_site.stack import servers

RECORDING = (
    Path(__file__).resolve().parents[2] / "shared/binance/data/hftbacktest/spot/btcusdt_20240808.gz"
)
FRAMES = 100_000
ALONE = 2_000
SYMBOL = "BTCUSDT"
PLACE = venue("simulator")
TOPIC = "bench.market"


def wires() -> list[bytes]:
    """Return frames as a venue sends them: recorded ones where they are, else some of our own."""
    if not RECORDING.exists():
        return list(_made())
    with gzip.open(RECORDING, "rb") as lines:
        frames = (line.partition(b" ")[2].rstrip() for line in lines)
        return [frame for frame in frames if frame.startswith(b'{"stream"')]


def _made() -> list[bytes]:
    best = b'{"stream":"btcusdt@bookTicker","data":{"u":%d,"s":"BTCUSDT","b":"61837.63000000",'
    best += b'"B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}'
    trade = b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT",'
    trade += b'"t":%d,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
    return [wire % number for number in range(20_000) for wire in (best, best, trade)]


def measure(_database_url: str = "") -> dict[str, Any]:
    """Return frames a second of each step and the latency of a lone frame."""
    recorded = wires()
    return {
        "database": "none",
        "frames": "recorded" if RECORDING.exists() else "made",
        "decoding": _decoding(recorded),
        "publishing": asyncio.run(_publishing(recorded)),
    }


def _decoding(recorded: list[bytes]) -> dict[str, float]:
    reader, numbers, ages = Reader(), Numbers(), Ages(PLACE)
    took: list[float] = []
    began = time.perf_counter()
    for place, wire in enumerate(islice(cycle(recorded), FRAMES)):
        if place % len(recorded) == 0:
            numbers = Numbers()  # the recording begins again
        started = time.perf_counter()
        frame = reader.read(wire, time.time_ns() // 1000)
        assert isinstance(frame, Frame)
        if numbers.is_news(frame):
            ages.note(frame)
            frame.envelope()
        took.append(time.perf_counter() - started)
    rate = FRAMES / (time.perf_counter() - began)
    return {
        "per_second": round(rate),
        "p50_us": round(quantile(took, 0.5) * 1e6, 2),
        "p99_us": round(quantile(took, 0.99) * 1e6, 2),
    }


async def _publishing(recorded: list[bytes]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        server = servers.nats_server(Path(folder)).start()
        try:
            rates = {
                name: await _rate(server.url, recorded, flat=flat)
                for name, flat in (("per_second", False), ("per_second_with_flat", True))
            }
            return rates | {"alone": summary(await alone(server.url, recorded))}
        finally:
            server.stop()


def _publisher(url: str, *, flat: bool) -> Publisher:
    return Publisher(
        url=url,
        topic=TOPIC,
        venue=PLACE,
        flat=flat,
        outbox=Outbox(most_cheap=FRAMES, most_dear=FRAMES),
    )


async def _rate(url: str, recorded: list[bytes], *, flat: bool) -> int:
    """Read and publish as fast as it goes; nobody listens, so that this process is measured."""
    publisher, reader = _publisher(url, flat=flat), Reader()
    running = asyncio.create_task(publisher.run())
    while not publisher.is_connected:
        await asyncio.sleep(0.01)
    began = time.perf_counter()
    for place, wire in enumerate(islice(cycle(recorded), FRAMES)):
        frame = reader.read(wire, time.time_ns() // 1000)
        assert isinstance(frame, Frame)
        publisher.put(frame)
        if place % 256 == 0:
            await asyncio.sleep(0)
    while publisher.published < FRAMES:
        await asyncio.sleep(0.001)
    rate = FRAMES / (time.perf_counter() - began)
    publisher.stop()
    await running
    return round(rate)


async def alone(url: str, recorded: list[bytes]) -> list[float]:
    """Return the seconds from a frame's receipt to its arrival at a consumer, one at a time."""
    publisher, reader, arrived = _publisher(url, flat=False), Reader(), asyncio.Event()
    client = await nats.connect(url)

    async def note(_message: Any) -> None:
        arrived.set()

    await client.subscribe(f"{TOPIC}.bench.spot.{SYMBOL}.>", cb=note)
    await client.flush()
    running = asyncio.create_task(publisher.run())
    while not publisher.is_connected:
        await asyncio.sleep(0.01)
    took: list[float] = []
    for wire in islice(cycle(recorded), ALONE):
        arrived.clear()
        started = time.perf_counter()
        frame = reader.read(wire, time.time_ns() // 1000)
        assert isinstance(frame, Frame)
        publisher.put(frame)
        await arrived.wait()
        took.append(time.perf_counter() - started)
    publisher.stop()
    await running
    await client.close()
    return took
