"""Compare our books with the venue's: `manage.py tie_out [--environment testnet] [--json]`."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchanges.domain.errors import VenueError
from exchanges.domain.venues import Environment
from exchanges.models import VenueAccount
from foundation.api.problems import to_json
from trading.domain.figures import plain
from trading.selectors import venues_in_use
from trading.services.money import tie_out


class Command(BaseCommand):
    help = (
        "List every difference between our ledger and the venue's trades, orders and balances. "
        "Ends with 1 when there is one, with 2 when the venue could not be asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--environment",
            choices=list(Environment),
            default="",
            help="this one, in use or not; without it every environment in use",
        )
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if named := options["environment"]:
            mapped = VenueAccount.objects.filter(virtual_accounts__isnull=False, environment=named)
            rows = mapped.distinct().order_by("pk")
        else:
            rows = venues_in_use.venue_accounts()
        told = []
        for venue_account in rows:
            try:
                told.append(tie_out.run(venue_account))
            except (VenueError, LookupError) as error:
                message = f"{venue_account}: not compared, {error}"
                raise CommandError(message, returncode=2) from None
        if not told:
            raise CommandError(
                "There is no venue account to compare: no account is enabled, and nothing is open.",
                returncode=2,
            )
        if options["json"]:
            body = [dataclasses.asdict(one) | {"agrees": one.agrees} for one in told]
            self.stdout.write(to_json(body).decode())
        else:
            for one in told:
                self._tell(one)
        if not all(one.agrees for one in told):
            sys.exit(1)

    def _tell(self, told: tie_out.TieOut) -> None:
        count = len(told.differences)
        verdict = "agrees" if told.agrees else f"{count} difference{'s' * (count != 1)}"
        self.stdout.write(
            f"{told.venue_account}: {verdict} ({told.symbols} symbols, {told.trades} trades)"
        )
        for one in told.differences:
            sides = ", ".join(
                f"{who} {value}"
                for who, value in (("ours", one.ours), (one.other, one.theirs))
                if value
            )
            self.stdout.write(f"  {one.about} {one.what}" + (f": {sides}" if sides else ""))
        if told.trades_not_ours:
            self.stdout.write(f"  {told.trades_not_ours} trades at the venue are not ours")
        for asset, amount in told.money_of_no_account.items():
            self.stdout.write(
                f"  {plain(amount)} {asset} at the venue belong to no account's ledger"
            )
        for asset, amount in told.coins_not_ours.items():
            self.stdout.write(f"  {plain(amount)} {asset} at the venue are not ours")
