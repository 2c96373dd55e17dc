"""The kill switch from the command line: what holds, what a stop would do, stop, release."""

from __future__ import annotations

import getpass
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from trading.models import StopReport, TradingState
from trading.services.control import circuit_breakers, kill_switch
from trading.services.execution import flatten

TOO_SMALL = "stays, it is too small for the venue to sell"


class Command(BaseCommand):
    help = "Show what holds, show what a stop would do, stop trading, let it go on."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser(
            "status", help="every stop in force with its report, and how the circuit breakers stand"
        )
        for verb, what in (("engage", "stop trading"), ("plan", "show what a stop would do")):
            one = verbs.add_parser(verb, help=what)
            one.add_argument("level", choices=kill_switch.LEVELS)
            one.add_argument("--scope", choices=TradingState.Scope.values, default="global")
            one.add_argument("--key", default="", help="what the scope names")
            if verb == "engage":
                one.add_argument("--reason", required=True)
                one.add_argument("--minutes", type=int, help="run out by itself after these")
        release = verbs.add_parser("release", help="let trading go on")
        release.add_argument("state", type=int, help="its number, as status shows it")
        release.add_argument("--reason", required=True)

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        # Who is logged in here, and nobody else: a name one can choose proves nothing.
        options["actor"] = f"{getpass.getuser()} (command line)"
        if "reason" in options and not options["reason"].strip():
            raise CommandError("Say why: the reason is kept.")
        if "scope" in options:
            _check_place(options)
        getattr(self, f"_{verb}")(options)

    def _status(self, _options: dict[str, Any]) -> None:
        states = list(kill_switch.in_force(timezone.now()).order_by("engaged_at"))
        if not states:
            self.stdout.write("Trading is active: nothing is stopped.")
        for state in states:
            until = f" until {state.expires_at:%Y-%m-%d %H:%M} UTC" if state.expires_at else ""
            self.stdout.write(
                f"{state.pk}: {state} since {state.engaged_at:%Y-%m-%d %H:%M} UTC{until}, "
                f"by {state.engaged_by}: {state.reason}"
            )
            self._report(state)
        seen = circuit_breakers.seen()
        for found in seen.findings:
            place = f"{found.name} {found.key}".strip()
            line = f" (limit {found.limit})" if found.limit else ""
            self.stdout.write(f"breaker {place}: {found.state}, {found.actual}{line}")
            if found.what_to_do:
                self.stdout.write(f"   {found.what_to_do}")

    def _report(self, state: TradingState) -> None:
        report = StopReport.objects.filter(state=state).first()
        if report is None:
            return
        told = ", ".join(f"{count} {word}" for word, count in flatten.counts(report).items())
        self.stdout.write(f"   {told}, {report.left} left {report.ended}".rstrip())
        for step in flatten.lines(report):
            why = step["why"] or step["status"]
            what = f"{step['key']} ({step['symbol'] or 'symbol unknown'})"
            self.stdout.write(f"   {what}: {step['outcome']} {why}".rstrip())
            if step["outcome"] == flatten.FAILED:
                self.stdout.write(f"      {step['what_to_do']}")
        for held in report.planned.get("too_small", ()):
            self.stdout.write(f"   position {held['position']} ({held['symbol']}): {TOO_SMALL}")

    def _plan(self, options: dict[str, Any]) -> None:
        planned = flatten.plan(
            mode=kill_switch.level(options["level"]), scope=options["scope"], key=options["key"]
        )
        for order in planned.cancels:
            self.stdout.write(f"cancel {order.client_order_id} in {order.account.name}: {order}")
        for position in planned.closes:
            self.stdout.write(f"sell at market in {position.account.name}: {position}")
        for position in planned.too_small:
            self.stdout.write(f"too small, stays in {position.account.name}: {position}")
        if not planned.left:
            self.stdout.write("Nothing would be cancelled or sold.")

    def _engage(self, options: dict[str, Any]) -> None:
        minutes = options["minutes"]
        if minutes is not None and minutes <= 0:
            raise CommandError("--minutes: a time that has passed would stop nothing.")
        self._plan(options)  # first: once it is engaged, a worker may be done before we look
        state = kill_switch.engage(
            actor=options["actor"],
            reason=options["reason"],
            mode=kill_switch.level(options["level"]),
            scope=options["scope"],
            key=options["key"],
            expires_at=timezone.now() + timedelta(minutes=minutes) if minutes else None,
        )
        self.stdout.write(f"{state.pk}: {state} is in force.")

    def _release(self, options: dict[str, Any]) -> None:
        if not TradingState.objects.filter(pk=options["state"]).exists():
            raise CommandError(f"There is no stop {options['state']}.")
        outcome = kill_switch.release(
            state_id=options["state"], actor=options["actor"], reason=options["reason"]
        )
        if outcome.waits:
            self.stdout.write(
                f"It is still stopped: another person must approve {outcome.waits.pk} "
                f"(manage.py approvals approve {outcome.waits.pk})."
            )
            return
        self.stdout.write("Released." if outcome else "It was released before.")


def _check_place(options: dict[str, Any]) -> None:
    options["key"] = kill_switch.spelled(options["scope"], options["key"])
    if fault := kill_switch.fault_of_key(options["scope"], options["key"]):
        raise CommandError(f"--key {fault}.")
