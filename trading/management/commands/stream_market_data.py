"""Stream market data of every environment that trades: prices into Redis, frames onto NATS, closed
candles into the database. Look at the circuit breakers.

No venue is waited for here, so breakers are looked at even while one holds up every worker.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from argparse import ArgumentParser
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connections

from exchanges.domain import venues
from exchanges.domain.venues import Environment, Market, Venue
from exchanges.market_data import storing
from exchanges.market_data.closed import CandleWriter
from exchanges.market_data.feed import Feed
from exchanges.market_data.publisher import Publisher
from foundation import liveness
from trading.selectors import watched_symbols
from trading.services.control import circuit_breakers

log = structlog.get_logger(__name__)
LOOK_AGAIN_SECONDS = 5.0
STOP_SECONDS = 5.0


class Command(BaseCommand):
    help = "Stream market data to Redis, NATS and the database. Stops on SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", help="only this environment")

    def handle(self, *args: Any, **options: Any) -> None:
        watch, candles = _Watch(), CandleWriter(storing.write_from_a_thread)
        watch.start()
        candles.start()
        try:
            asyncio.run(_Feeds(options["environment"] or "", candles).run())
        finally:
            candles.stop()
            watch.stop()


class _Watch(threading.Thread):
    """Look at the circuit breakers every TRIP_EVERY_SECONDS; trouble in one look ends no other."""

    def __init__(self) -> None:
        super().__init__(name="trips", daemon=True)
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(float(settings.TRIP_EVERY_SECONDS)):
            close_old_connections()
            try:
                circuit_breakers.watch()
            except Exception:
                log.exception("trips_not_watched")
        connections.close_all()

    def stop(self) -> None:
        self._stopping.set()
        self.join(STOP_SECONDS)


class _Feeds:
    """One feed for each market of each environment; what is bought or ordered later joins its
    symbols soon."""

    def __init__(self, environment: str, candles: CandleWriter) -> None:
        self.environment = environment
        self.candles = candles
        self.feeds: dict[Venue, Feed] = {}
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        async with asyncio.TaskGroup() as group:
            sign = group.create_task(liveness.keep("market"))
            while not self.stopping.is_set():
                for traded, symbols in (await sync_to_async(self._wanted)()).items():
                    for venue in beside(traded):
                        if venue not in self.feeds:
                            self.feeds[venue] = made(venue, self.candles)
                            group.create_task(self.feeds[venue].run())
                        self.feeds[venue].want(symbols)
                await self._pause()
            sign.cancel()

    def _wanted(self) -> dict[Venue, set[str]]:
        """Return symbols by venue; what was wanted last stays while the database is away."""
        close_old_connections()
        try:
            found = watched_symbols.symbols_by_venue()
        except DatabaseError as error:
            log.warning("watched_symbols_not_read", error=str(error))
            return {}
        if self.environment:
            return {venue: found[venue] for venue in found if venue.environment == self.environment}
        return found

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self.stopping.wait()
        except TimeoutError:
            return

    def _stop(self) -> None:
        self.stopping.set()
        for feed in self.feeds.values():
            feed.stop()


def beside(traded: Venue) -> list[Venue]:
    """Return the venues whose data is streamed where one is traded: its environment in each of
    MARKET_DATA_MARKETS. The simulator is a spot venue."""
    return [
        venues.venue(traded.environment, market, traded.exchange)
        for market in settings.MARKET_DATA_MARKETS
        if market == Market.SPOT or traded.environment is not Environment.SIMULATOR
    ]


def made(venue: Venue, candles: CandleWriter) -> Feed:
    """Return the feed that the settings describe."""
    publisher = Publisher(
        url=settings.NATS_URL,
        topic=settings.NATS_CONSUMER_TOPIC,
        venue=venue,
        flat=settings.NATS_MARKET_FLAT,
    )
    return Feed(
        venue,
        selected=settings.MARKET_SELECTION,
        publisher=publisher,
        candles=candles,
    )
