"""Run the local venue: `manage.py run_simulator`."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from exchanges.venues.simulator import runner, store
from exchanges.venues.simulator.config import (
    DEFAULT_KEY,
    DEFAULT_SECRET,
    AccountConfig,
    SimulatorConfig,
)
from exchanges.venues.simulator.limits import Allowance
from exchanges.venues.simulator.prices import RecordingUnreadable, UnknownPriceSource


class Command(BaseCommand):
    help = "Run the Binance-compatible simulator (REST and WebSocket on one port) until SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.SIMULATOR_HOST)
        parser.add_argument("--port", type=int, default=settings.SIMULATOR_PORT)
        parser.add_argument("--prices", default=settings.SIMULATOR_PRICES)
        parser.add_argument("--latency-ms", type=float, default=settings.SIMULATOR_LATENCY_MS)
        parser.add_argument(
            "--unlimited",
            action="store_true",
            default=settings.SIMULATOR_UNLIMITED,
            help="count weight and orders but never throttle",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        config = _config(options)
        try:
            if config.state_file is not None:
                store.take_over(config.state_file)
            runner.run(config)
        except (UnknownPriceSource, RecordingUnreadable) as unknown:
            raise CommandError(f"SIMULATOR_PRICES: {unknown}") from unknown
        except sqlite3.Error as unusable:
            raise CommandError(
                f"{config.state_file} is not usable as state ({unusable});"
                " move it away or name another SIMULATOR_STATE_FILE"
            ) from unusable
        except OSError as refused:
            raise CommandError(
                f"cannot serve on {config.host}:{config.port} ({refused});"
                " choose another SIMULATOR_PORT or stop what uses it"
            ) from refused


def _config(options: dict[str, Any]) -> SimulatorConfig:
    account = AccountConfig(
        api_key=settings.SIMULATOR_API_KEY or DEFAULT_KEY,
        api_secret=settings.SIMULATOR_API_SECRET or DEFAULT_SECRET,
    )
    return SimulatorConfig(
        host=options["host"],
        port=options["port"],
        prices=options["prices"],
        state_file=settings.SIMULATOR_STATE_FILE,
        faults=settings.SIMULATOR_FAULTS,
        accounts=(account,),
        allowance=Allowance(0, 0, 0) if options["unlimited"] else Allowance(),
        latency_ms=options["latency_ms"],
    )
