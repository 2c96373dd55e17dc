"""Try limits on the past: `manage.py replay_risk --days 7 --limits FILE [--account A] [--json]`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from foundation.api.problems import to_json
from trading.domain.figures import plain
from trading.models import VirtualAccount
from trading.services.control import limit_proposals
from trading.services.reports import replay
from trading.services.reports.replay import Report, Result

MOST_SHOWN = 20
NOT_A_SCREEN = 160  # columns


class Command(BaseCommand):
    help = (
        "Put the decisions of the last days to a proposed set of limits: what would have been "
        "denied or let through, and the profit of what traded. Nothing is changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, required=True, help="how far back, whole days")
        parser.add_argument(
            "--limits",
            type=Path,
            required=True,
            help="YAML, JSON or CSV with scope, key, name and value; set on top of what held then",
        )
        parser.add_argument("--account", default="", help="of this account only")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= 3650:
            raise CommandError("--days: write 1 to 3650.")
        account = options["account"]
        if account and not VirtualAccount.objects.filter(name=account).exists():
            raise CommandError(f"--account: there is no account {account}.")
        try:
            wished = limit_proposals.read(options["limits"])
        except OSError as error:
            raise CommandError(f"--limits: {options['limits']}: {error.strerror}") from None
        except limit_proposals.ProposalInvalid as error:
            raise CommandError(f"{options['limits']}:\n{error}") from None
        until = timezone.now()
        since = until - timedelta(days=options["days"])
        report = replay.run(proposals=wished, since=since, until=until, account=account)
        if options["json"]:
            self.stdout.write(to_json(_plain(dataclasses.asdict(report))).decode())
        else:
            self._tell(report)

    def _tell(self, report: Report) -> None:
        out = cast(IO[str], self.stdout)
        console = Console(file=out, highlight=False, width=None if out.isatty() else NOT_A_SCREEN)
        whose = f" of {report.account}" if report.account else ""
        console.print(
            f"{report.decisions} decisions{whose}, {report.since:%Y-%m-%d %H:%M} to "
            f"{report.until:%Y-%m-%d %H:%M} UTC, under:",
            markup=False,
        )
        for one in report.proposals:
            console.print(f"  {one}", markup=False)
        if not report.proposals:
            console.print("  the limits as they were", markup=False)
        console.print(_outcomes(report))
        console.print(_results(report))
        if report.changes:
            console.print(_changes(report))
        if report.after_a_change:
            console.print(
                f"{report.after_a_change} decisions came later in an account where something "
                "would have come out otherwise: what they saw of it is as it was.",
                markup=False,
            )
        console.print("Not modelled:")
        for words in report.not_modelled:
            console.print(f"  {words}", markup=False)


def _outcomes(report: Report) -> Table:
    table = Table("Outcome", "By", "Decisions", title="What would have come out")
    table.columns[2].justify = "right"
    table.add_row(
        "approved, as then", f"{report.resized} of another size", f"{report.still_approved}"
    )
    table.add_row("denied, as then", "", f"{report.still_denied}")
    for title, counts in (
        ("of those by another rule", report.other_code),
        ("approved then, would be denied", report.now_denied),
        ("denied then, would pass", report.now_approved),
        ("not replayable", report.not_replayable),
    ):
        for by, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            table.add_row(title, by, f"{count}")
    return table


def _results(report: Report) -> Table:
    headings = (
        "Entries that were let through",
        "Entries",
        "Not filled",
        "Open",
        "Closed",
        "Profit",
    )
    table = Table(*headings, title="What they came to, net of fees")
    for column in table.columns[1:]:
        column.justify = "right"
    for title, result in (
        ("would be kept", report.kept),
        ("would be denied", report.lost),
        ("not replayable", report.unknown),
    ):
        table.add_row(title, *_figures(result))
    return table


def _figures(result: Result) -> tuple[str, ...]:
    counts = (result.entries, result.not_filled, result.still_open, result.closed)
    profits = (f"{plain(one)} {quote}" for quote, one in sorted(result.profit.items()))
    return (*(str(count) for count in counts), ", ".join(profits) or "0")


def _changes(report: Report) -> Table:
    title = f"The first {MOST_SHOWN} of {len(report.changes)}; all with --json"
    table = Table(
        "Decision", "At", "Account", "Strategy", "Symbol", "Then", "Now", "Limit", "Actual",
        title=title if len(report.changes) > MOST_SHOWN else "One by one",
    )  # fmt: skip
    for one in report.changes[:MOST_SHOWN]:
        at = f"{one.decided_at:%m-%d %H:%M:%S}"
        table.add_row(
            str(one.decision), at, one.account, one.strategy_id, one.symbol, one.before, one.after,
            one.limit, one.actual,
        )  # fmt: skip
    return table


def _plain(value: Any) -> Any:
    """Spell every figure out: money is text in JSON."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
