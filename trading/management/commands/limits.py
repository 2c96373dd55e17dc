"""Limits from the command line: what holds, what is set, changes with a reason, approvals."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from trading.domain.risk.limit_book import BY_NAME, Scope, word
from trading.models import Limit, LimitChange, VirtualAccount
from trading.services.control import limits
from trading.services.control.four_eyes import SecondPersonNeeded


class Command(BaseCommand):
    help = "Show and change limits. Every change wants a reason, kept with who made it."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        show = verbs.add_parser("show", help="what holds for an account, strategy and symbol")
        show.add_argument("account", nargs="?", default="")
        show.add_argument("--strategy", default="")
        show.add_argument("--symbol", default="")
        verbs.add_parser("list", help="what is set, place by place")
        for verb in ("set", "unset"):
            change = verbs.add_parser(verb, help=f"{verb} a limit in one place")
            change.add_argument("name", choices=list(BY_NAME))
            if verb == "set":
                change.add_argument("value")
            change.add_argument("--scope", choices=list(Scope), default=Scope.GLOBAL.value)
            change.add_argument("--key", default="", help="the account, strategy or symbol")
            change.add_argument("--reason", required=True)
        for verb in ("approve", "decline"):
            answer = verbs.add_parser(verb, help=f"{verb} a change that waits")
            answer.add_argument("change", type=int)
            answer.add_argument("--reason", required=True)
        history = verbs.add_parser("history", help="the latest changes")
        history.add_argument("--most", type=int, default=20)

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        # Who is logged in here, and nobody else: a name one can choose proves nothing.
        options["actor"] = f"{getpass.getuser()} (command line)"
        try:
            getattr(self, f"_{verb}")(options)
        except ValidationError as error:
            raise CommandError("\n".join(_words(error))) from None
        except SecondPersonNeeded as error:
            raise CommandError(str(error)) from None
        except LimitChange.DoesNotExist:
            raise CommandError(f"There is no change {options['change']}.") from None

    def _show(self, options: dict[str, Any]) -> None:
        account = _account(options["account"])
        held = limits.effective(
            account, strategy_id=options["strategy"], symbol=options["symbol"].upper()
        )
        self.stdout.write(f"account {account.name}, version {held.version}")
        for name, one in held.items():
            value = f"{word(one.value)} {one.spec.unit}".strip()
            self.stdout.write(f"  {name:<26}{value:<44}{one.source}")

    def _list(self, _options: dict[str, Any]) -> None:
        for limit in Limit.objects.all():
            place = f"{limit.scope} {limit.key}".strip()
            self.stdout.write(f"{limit.name:<26}{place:<30}{limit.value:<20}v{limit.version}")

    def _set(self, options: dict[str, Any]) -> None:
        self._change(options, options["value"])

    def _unset(self, options: dict[str, Any]) -> None:
        self._change(options, None)

    def _change(self, options: dict[str, Any], value: str | None) -> None:
        key = options["key"].upper() if options["scope"] == Scope.SYMBOL else options["key"]
        wish = limits.Wish(options["scope"], key, options["name"], value, options["reason"])
        change = limits.set_limit(wish, actor=options["actor"])
        if change is None:
            self.stdout.write("It was so already: nothing changed.")
        elif change.state == LimitChange.State.PENDING:
            self.stdout.write(f"Change {change.pk} is looser: it waits for a second person.")
        else:
            self.stdout.write(f"{change}: holds as version {change.version}.")

    def _approve(self, options: dict[str, Any]) -> None:
        change = limits.approve(options["change"], actor=options["actor"], reason=options["reason"])
        self.stdout.write(f"{change}: holds as version {change.version}.")

    def _decline(self, options: dict[str, Any]) -> None:
        change = limits.decline(options["change"], actor=options["actor"], reason=options["reason"])
        self.stdout.write(f"{change}: declined.")

    def _history(self, options: dict[str, Any]) -> None:
        for change in LimitChange.objects.all()[: options["most"]]:
            version = f"v{change.version}" if change.version else change.state
            self.stdout.write(
                f"{change.asked_at:%Y-%m-%d %H:%M} {version:<9}{change} "
                f"({change.author}: {change.reason})"
            )


def _account(name: str) -> VirtualAccount:
    rows = VirtualAccount.objects.all()
    account = (rows.filter(name=name) if name else rows.filter(is_default=True)).first()
    if account is None:
        raise CommandError(f"There is no account {name}." if name else "There is no account yet.")
    return account


def _words(error: ValidationError) -> list[str]:
    if hasattr(error, "error_dict"):
        return [f"{name}: {' '.join(words)}" for name, words in error.message_dict.items()]
    return list(error.messages)
