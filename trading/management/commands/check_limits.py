"""Name what can never trade, with the fix: `manage.py check_limits`."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exchanges.domain.errors import VenueError
from trading.services.risk import limit_check


class Command(BaseCommand):
    help = (
        "Check limits and accounts against each other and the venue's filters. Ends with 1 when an "
        "account or a strategy can trade nothing, with 2 when a venue could not be asked."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = limit_check.run()
        except VenueError as error:
            raise CommandError(f"not checked: {error}", returncode=2) from None
        for one in found:
            who = f"{one.account}, strategy {one.strategy_id}" if one.strategy_id else one.account
            weight = "NEVER TRADES" if one.blocks else "note"
            self.stdout.write(f"{weight}: {who}: {one.problem}\n  fix: {one.fix}")
        if any(one.blocks for one in found):
            sys.exit(1)
        if not found:
            self.stdout.write("Nothing stands in the way of any account.")
