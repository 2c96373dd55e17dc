"""Listen to the user stream of every venue account that trades."""

from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from exchanges.gateways import registry
from exchanges.models import VenueAccount
from trading import tasks, userstream


class Command(BaseCommand):
    help = "Book order news and balances as the venues tell them. Stops on SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", help="only this environment")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = VenueAccount.objects.filter(virtual_accounts__enabled=True).distinct()
        if options["environment"]:
            accounts = accounts.filter(environment=options["environment"])
        for account in accounts:
            registry.warm_soon(account.environment)
        asyncio.run(_listen(list(accounts)))


async def _listen(accounts: list[VenueAccount]) -> None:
    listeners = [
        userstream.Listener(
            account, registry.user_stream_for(account.environment), tasks.want_protection
        )
        for account in accounts
    ]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_all, listeners)
    async with asyncio.TaskGroup() as group:
        for one in listeners:
            group.create_task(one.run())


def _stop_all(listeners: list[userstream.Listener]) -> None:
    for one in listeners:
        one.stream.stop()
