"""Say whether the parts a process needs can be reached: for container health checks."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

TIMEOUT_SECONDS = 5
DEFAULT_PORTS = {"redis": 6379, "nats": 4222, "http": 80, "https": 443}


def dial(url: str) -> None:
    """Open and close a connection to the host of `url`; OSError when it is not there."""
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    socket.create_connection((parts.hostname or "", port), TIMEOUT_SECONDS).close()


def dial_any_nats() -> None:
    """Be content with one server of a cluster."""
    *others, last = settings.NATS_URL.split(",")
    for url in others:
        try:
            return dial(url.strip())
        except OSError:
            continue
    return dial(last.strip())


def venue_url() -> str:
    default = {
        "simulator": settings.SIMULATOR_REST_URL,
        "testnet": "https://testnet.binance.vision",
        "demo": "https://demo-api.binance.com",
        "mainnet": "https://api.binance.com",
    }[settings.VENUE_ENVIRONMENT]
    if settings.VENUE_ENVIRONMENT == "simulator":
        return str(default)
    return str(settings.BINANCE_SPOT_REST_URL or default)


PARTS: dict[str, Callable[[], None]] = {
    "database": connection.ensure_connection,
    "redis": lambda: dial(settings.REDIS_URL),
    "nats": dial_any_nats,
    "venue": lambda: dial(venue_url()),
}


class Command(BaseCommand):
    help = "Exit with 0 when every named part can be reached."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("parts", nargs="+", choices=sorted(PARTS))

    def handle(self, *args: Any, parts: list[str], **options: Any) -> None:
        for part in parts:
            try:
                PARTS[part]()
            except Exception as error:  # noqa: BLE001 - whatever it is, the part is not there
                raise CommandError(f"{part}: {error}") from None
