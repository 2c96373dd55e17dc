"""Stream prices of every environment that trades into Redis; look at the circuit breakers.

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

from exchanges.market_data.feed import Feed
from trading.selectors import watched
from trading.services import trips

log = structlog.get_logger(__name__)
LOOK_AGAIN_SECONDS = 5.0
STOP_SECONDS = 5.0


class Command(BaseCommand):
    help = "Keep the newest prices of what is traded in Redis. Stops on SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", help="only this environment")

    def handle(self, *args: Any, **options: Any) -> None:
        watch = _Watch()
        watch.start()
        try:
            asyncio.run(_Feeds(options["environment"] or "").run())
        finally:
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
                trips.watch()
            except Exception:
                log.exception("trips_not_watched")
        connections.close_all()

    def stop(self) -> None:
        self._stopping.set()
        self.join(STOP_SECONDS)


class _Feeds:
    """One feed for each environment; what is bought or ordered later joins its symbols soon."""

    def __init__(self, environment: str) -> None:
        self.environment = environment
        self.feeds: dict[str, Feed] = {}
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        async with asyncio.TaskGroup() as group:
            while not self.stopping.is_set():
                for environment, symbols in (await sync_to_async(self._wanted)()).items():
                    if environment not in self.feeds:
                        self.feeds[environment] = Feed(environment)
                        group.create_task(self.feeds[environment].run())
                    self.feeds[environment].want(symbols)
                await self._pause()

    def _wanted(self) -> dict[str, set[str]]:
        """Return symbols by environment; what was wanted last stays while the database is away."""
        close_old_connections()
        try:
            found = watched.symbols_by_environment()
        except DatabaseError as error:
            log.warning("watched_symbols_not_read", error=str(error))
            return {}
        if self.environment:
            return {name: found[name] for name in found if name == self.environment}
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
