"""Listen to the user stream of every venue account that trades."""

from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from exchanges.models import VenueAccount
from exchanges.venues import registry
from foundation import liveness
from trading import tasks, user_stream
from trading.selectors import venues_in_use

log = structlog.get_logger(__name__)
LOOK_AGAIN_SECONDS = 10.0


class Command(BaseCommand):
    help = "Book order news and balances as the venues tell them. Stops on SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", help="only this environment")

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(_Streams(options["environment"] or "").run())


class _Streams:
    """One listener for each venue account in use; an account made later gets its own soon."""

    def __init__(self, environment: str) -> None:
        self.environment = environment
        self.listeners: dict[int, user_stream.Listener] = {}
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        async with asyncio.TaskGroup() as group:
            sign = group.create_task(liveness.keep("userstream"))
            while not self.stopping.is_set():
                for account in await sync_to_async(self._unheard)():
                    registry.warm_soon(account.venue)
                    listener = user_stream.Listener(
                        account,
                        registry.user_stream_for(account),
                        tasks.want_protection,
                        after_gap=tasks.want_comparison,
                    )
                    self.listeners[account.pk] = listener
                    group.create_task(listener.run())
                await self._pause()
            sign.cancel()

    def _unheard(self) -> list[VenueAccount]:
        """Return accounts in use that have no listener; none while the database is away."""
        close_old_connections()
        rows = venues_in_use.venue_accounts()
        if self.environment:
            rows = rows.filter(environment=self.environment)
        try:
            return list(rows.exclude(pk__in=self.listeners))
        except DatabaseError as error:
            log.warning("venue_accounts_not_read", error=str(error))
            return []

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self.stopping.wait()
        except TimeoutError:
            return

    def _stop(self) -> None:
        self.stopping.set()
        for listener in self.listeners.values():
            listener.stream.stop()
