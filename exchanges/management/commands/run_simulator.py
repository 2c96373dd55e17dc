"""Run the local venue: `manage.py run_simulator`."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from exchanges.simulator import runner
from exchanges.simulator.config import DEFAULT_KEY, DEFAULT_SECRET, AccountConfig, SimulatorConfig
from exchanges.simulator.limits import Allowance
from exchanges.simulator.prices import UnknownPriceSource


class Command(BaseCommand):
    help = "Run the Binance-compatible simulator (REST and WebSocket on one port) until SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=getattr(settings, "SIMULATOR_HOST", "127.0.0.1"))
        parser.add_argument(
            "--port", type=int, default=int(getattr(settings, "SIMULATOR_PORT", 8090))
        )
        parser.add_argument("--prices", default=getattr(settings, "SIMULATOR_PRICES", "synthetic"))
        parser.add_argument(
            "--latency-ms", type=float, default=getattr(settings, "SIMULATOR_LATENCY_MS", 0)
        )
        parser.add_argument(
            "--unlimited",
            action="store_true",
            default=bool(getattr(settings, "SIMULATOR_UNLIMITED", False)),
            help="count weight and orders but never throttle",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        config = _config(options)
        try:
            runner.run(config)
        except UnknownPriceSource as unknown:
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
    state_file = getattr(settings, "SIMULATOR_STATE_FILE", None)
    account = AccountConfig(
        api_key=getattr(settings, "SIMULATOR_API_KEY", "") or DEFAULT_KEY,
        api_secret=getattr(settings, "SIMULATOR_API_SECRET", "") or DEFAULT_SECRET,
    )
    return SimulatorConfig(
        host=options["host"],
        port=options["port"],
        prices=options["prices"],
        state_file=Path(state_file) if state_file else None,
        faults=bool(getattr(settings, "SIMULATOR_FAULTS", False)),
        accounts=(account,),
        allowance=Allowance(0, 0, 0) if options["unlimited"] else Allowance(),
        latency_ms=options["latency_ms"],
    )
