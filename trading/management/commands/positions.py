"""Positions from the command line: how each is protected, and settling a shortfall."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchanges.domain.errors import VenueError
from trading.domain.figures import plain
from trading.models import Position
from trading.services.protection import shortfalls
from trading.services.reports import cover


class Command(BaseCommand):
    help = "List open positions, and settle what the books hold and the venue does not."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="every open position, and how it is protected")
        settle = verbs.add_parser("settle", help="take a shortfall off the books, at cost")
        settle.add_argument("position", type=int, help="its number, as list shows it")
        settle.add_argument("--reason", required=True, help="where the coins went")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        getattr(self, f"_{verb}")(options)

    def _list(self, _options: dict[str, Any]) -> None:
        rows = Position.objects.filter(is_open=True).select_related("account__venue_account")
        positions = list(rows.order_by("account__name", "symbol"))
        covers = cover.of(positions)
        for position in positions:
            found = covers[position.pk]
            self.stdout.write(
                f"{position.pk}: {plain(position.quantity)} {position.symbol}"
                f" in {position.account.name}, {found.state}"
            )
            alarm = [f"Alarm: {position.alarm}."] if position.alarm else []
            for line in (*alarm, *found.lines):
                self.stdout.write(f"    {line}")
        if not positions:
            self.stdout.write("Nothing is held.")

    def _settle(self, options: dict[str, Any]) -> None:
        actor = f"{getpass.getuser()} (command line)"
        try:
            row = shortfalls.settle(options["position"], actor=actor, reason=options["reason"])
        except Position.DoesNotExist:
            raise CommandError(f"There is no position {options['position']}.") from None
        except shortfalls.Refused as error:
            raise CommandError(str(error)) from None
        except VenueError as error:
            raise CommandError(f"Nothing was changed: the venue was not asked, {error}") from None
        self.stdout.write(
            f"{plain(row.quantity)} {row.position.symbol} are off the books, at a cost of"
            f" {plain(row.cost)}: {plain(row.position.quantity)} are left."
        )
