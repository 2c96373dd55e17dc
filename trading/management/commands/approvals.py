"""What waits for a second person, from the command line."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from trading.models import Approval
from trading.services.control.four_eyes import SecondPersonNeeded
from trading.services.money import approvals


class Command(BaseCommand):
    help = "List, approve and decline what waits for a second person (FOUR_EYES)."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="everything that waits")
        for verb in ("approve", "decline"):
            answer = verbs.add_parser(verb, help=f"{verb} what waits")
            answer.add_argument("approval", type=int, help="its number, as list shows it")
            answer.add_argument("--reason", required=True)

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        # Who is logged in here, and nobody else: a name one can choose proves nothing.
        options["actor"] = f"{getpass.getuser()} (command line)"
        try:
            getattr(self, f"_{verb}")(options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except SecondPersonNeeded as error:
            raise CommandError(str(error)) from None
        except Approval.DoesNotExist:
            raise CommandError(f"There is no approval {options['approval']}.") from None

    def _list(self, _options: dict[str, Any]) -> None:
        waiting = Approval.objects.filter(state=Approval.State.PENDING).order_by("pk")
        for row in waiting:
            why = f": {row.reason}" if row.reason else ""
            when = f"{row.asked_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{row.pk}: {row}, asked by {row.author} at {when}{why}")
        if not waiting:
            self.stdout.write("Nothing waits.")

    def _approve(self, options: dict[str, Any]) -> None:
        row = approvals.approve(
            options["approval"], actor=options["actor"], reason=options["reason"]
        )
        self.stdout.write(f"Done: {row}.")

    def _decline(self, options: dict[str, Any]) -> None:
        row = approvals.decline(
            options["approval"], actor=options["actor"], reason=options["reason"]
        )
        self.stdout.write(f"Declined: {row}.")
