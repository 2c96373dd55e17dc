"""Serve HTTP and WebSockets on one port."""

from __future__ import annotations

import gc
import socket
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import get_resolver

from exchanges.venues import configured, registry
from petrosa_site import boot

SECONDS_TO_FINISH_ANSWERS = 10


class Command(BaseCommand):
    help = "Serve the site: pages, REST and WebSockets on API_HOST:API_PORT."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.API_HOST, help="instead of API_HOST")
        parser.add_argument("--port", type=int, default=settings.API_PORT, help="not API_PORT")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        refuse_taken_port(host, port)
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise wants it to be there
        boot.heed_kill_switch()
        application = load()
        registry.warm_soon(configured.venue())
        config = uvicorn.Config(
            application,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="on",
            proxy_headers=settings.BEHIND_TLS_PROXY,
            forwarded_allow_ips=settings.FORWARDED_ALLOW_IPS,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=SECONDS_TO_FINISH_ANSWERS,
            ws_max_size=256 * 1024,
        )
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run()


def refuse_taken_port(host: str, port: int) -> None:
    """Raise CommandError that names the setting when nobody can listen on `host:port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"web cannot listen on {host}:{port} ({error.strerror}). "
                "Stop what uses that port or set API_PORT (or --port) to a free one."
            ) from None


def load() -> Any:
    """Import the site whole, so that the first request is not the slow one."""
    from petrosa_site.asgi import application

    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()  # what is imported stays: later collections need not walk it
    return application
