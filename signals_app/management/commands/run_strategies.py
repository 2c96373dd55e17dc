"""Run the realtime strategies on the market data of NATS, for ever."""

from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections, connections

from exchanges.venues import configured
from signals_app.realtime.process import Place, Process
from signals_app.realtime.shard import Shard, ShardInvalid
from signals_app.services import strategy_settings
from signals_app.services.strategy_settings import Setting
from signals_app.strategies.spec import Kind


class Command(BaseCommand):
    help = "Turn market data into signals by the realtime strategies. Stops on SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--shard", default=settings.STRATEGIES_SHARD, help="i/n: share of the symbols"
        )
        parser.add_argument(
            "--port", type=int, default=settings.STRATEGIES_PORT, help="of its endpoints; 0: none"
        )
        parser.add_argument(
            "--max-age",
            type=float,
            default=float(settings.SIGNAL_MAX_AGE_SECONDS),
            help="seconds after which what was said is not published any more",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            shard = Shard.parsed(options["shard"])
        except ShardInvalid as error:
            raise CommandError(f"--shard: {error}") from None
        place = Place(
            nats_url=settings.NATS_URL,
            redis_url=settings.REDIS_URL,
            topic=settings.NATS_CONSUMER_TOPIC,
            venue=configured.venue(),
            heartbeat_subject=settings.NATS_HEARTBEAT_SUBJECT,
            shard=shard,
            host=settings.STRATEGIES_HOST,
            port=options["port"],
            max_age_seconds=options["max_age"],
            version=settings.VERSION,
        )
        try:
            asyncio.run(_run(place))
        except OSError as error:
            raise CommandError(
                f"STRATEGIES_PORT={place.port}: cannot listen on {place.host}: {error}"
            ) from error
        finally:
            connections.close_all()


async def _run(place: Place) -> None:
    process = Process(place, read_settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, process.stop)
    await process.run()


def read_settings() -> list[Setting]:
    """Return what holds for the realtime strategies now."""
    close_old_connections()
    return strategy_settings.every(Kind.REALTIME)
