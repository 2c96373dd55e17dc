"""Live prices: the venue's own public streams, for paper trading on the real market.

Needs the network. Connections are expected to end (after a day at the latest); each end is
followed by a new connection after a growing pause.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping

import aiohttp
import orjson

from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.instruments import Listing
from exchanges.venues.simulator.prices.base import FollowsMarket
from exchanges.venues.simulator.prices.local_book import LocalBooks
from exchanges.venues.simulator.prices.sink import PriceSink

PUBLIC_STREAMS = "wss://data-stream.binance.vision"
STREAM_KINDS = ("depth20@100ms", "trade")
LONGEST_PAUSE_SECONDS = 60.0
SILENCE_SECONDS = 30.0  # the busiest symbols never rest this long: the line is dead
logger = logging.getLogger(__name__)


class BinancePrices(FollowsMarket):
    recording = None

    def __init__(
        self, listings: Mapping[str, Listing], clock: Clock, *, base_url: str = PUBLIC_STREAMS
    ) -> None:
        self._clock = clock
        self._listings = listings
        names = [f"{name.lower()}@{kind}" for name in listings for kind in STREAM_KINDS]
        self._url = f"{base_url.rstrip('/')}/stream?streams={'/'.join(names)}"

    async def run(self, sink: PriceSink) -> None:
        """Follow the streams until cancelled, reconnecting whenever the line ends."""
        failures = 0
        async with aiohttp.ClientSession(trust_env=True) as session:
            while True:
                try:
                    if await self._follow(session, sink):
                        failures = 0
                except (aiohttp.ClientError, TimeoutError, OSError) as broken:
                    logger.warning("price stream broke: %s", broken)
                failures += 1
                pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** min(failures, 6))
                await asyncio.sleep(pause * (0.5 + random.random() / 2))

    async def _follow(self, session: aiohttp.ClientSession, sink: PriceSink) -> bool:
        """Read one connection to its end. Returns whether it carried anything."""
        books = LocalBooks(self._listings)
        carried = False
        async with session.ws_connect(self._url, heartbeat=20, max_msg_size=0) as socket:
            while True:
                message = await socket.receive(timeout=SILENCE_SECONDS)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return carried
                frame = orjson.loads(message.data)
                if frame.get("e") == "serverShutdown":
                    return carried
                books.take(frame, sink)
                carried = True

    def prime(self, sink: PriceSink) -> None:
        """Nothing is known before the first frame: orders find an empty book until then."""
