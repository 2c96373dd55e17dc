"""Virtual accounts from the command line: list, create, edit, and map strategies to them."""

from __future__ import annotations

import getpass
import json
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from exchanges.domain.venues import Environment, venue
from exchanges.models import VenueAccount
from exchanges.venues import registry
from trading.domain.figures import plain
from trading.domain.risk import window
from trading.domain.risk.types import SizingModel
from trading.models import Approval, StrategyMapping, VirtualAccount
from trading.services.money import account_settings, accounts, equity, ledger

SWITCH = {"on": True, "off": False}


class Command(BaseCommand):
    help = "List, create, edit, fund and map virtual accounts. Limits are changed by `limits`."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="every account, with the strategies mapped to it")
        create = verbs.add_parser("create", help="make an account; one for mainnet starts off")
        create.add_argument("name")
        create.add_argument("--environment", choices=list(Environment), required=True)
        create.add_argument("--credentials", default="", help="name of its keys: DESK2")
        edit = verbs.add_parser("edit", help="change an account")
        edit.add_argument("name")
        for one in (create, edit):
            one.add_argument("--sizing-model", choices=[m.value for m in SizingModel])
            one.add_argument("--order-type", choices=account_settings.ENTRY_TYPES)
            one.add_argument("--symbols", help="comma list; empty for every symbol")
            one.add_argument("--window", help=f"{window.EXAMPLE!r}, us-equity or 24/7")
        edit.add_argument("--enabled", choices=list(SWITCH))
        edit.add_argument("--default", action="store_true", help="take what is not mapped")
        mapping = verbs.add_parser("map", help="have a strategy trade in an account")
        mapping.add_argument("strategy")
        mapping.add_argument("name", help="the account, or 'default' to map it no longer")
        mapping.add_argument(
            "--min-spread-bps", help="the spread it signals from, for check_limits to know"
        )

        fund = verbs.add_parser("fund", help="put money into an account of its own ledger")
        fund.add_argument("name")
        fund.add_argument("amount", help="quote units; with a minus it is taken out")
        reset = verbs.add_parser("reset-drawdown", help="measure it from today's worth on")
        reset.add_argument("name")
        for one in (fund, reset):
            one.add_argument("--reason", required=True)

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        options["actor"] = f"{getpass.getuser()} (command line)"
        try:
            getattr(self, f"_{verb.replace('-', '_')}")(options)
        except ValidationError as error:
            words = (f"{name}: {' '.join(said)}" for name, said in error.message_dict.items())
            raise CommandError("\n".join(words)) from None

    def _list(self, _options: dict[str, Any]) -> None:
        for account in VirtualAccount.objects.select_related("venue_account").order_by("name"):
            marks = [
                account.venue_account.environment,
                "on" if account.enabled else "off",
                *(["default"] if account.is_default else []),
                account.sizing_model.replace("_", " "),
                " ".join(account.allowed_symbols) or "every symbol",
                account.trading_window or window.ALWAYS,
                _money(account),
            ]
            self.stdout.write(f"{account.name:<20}{', '.join(marks)}")
            for mapping in StrategyMapping.objects.filter(account=account):
                self.stdout.write(f"{'':<20}- {mapping.strategy_id}")

    def _create(self, options: dict[str, Any]) -> None:
        if VirtualAccount.objects.filter(name=options["name"]).exists():
            raise CommandError(f"There is an account {options['name']} already.")
        place, keys = venue(options["environment"]), options["credentials"]
        try:
            registry.access_to(place, keys)
        except ImproperlyConfigured as error:
            raise CommandError(f"--credentials {keys}: {error}") from None
        with transaction.atomic():
            venue_account, _ = VenueAccount.objects.get_or_create(
                exchange=place.exchange.value,
                market=place.market.value,
                environment=place.environment.value,
                credentials=keys,
                defaults={"label": keys or "main"},
            )
            account = VirtualAccount(
                name=options["name"], venue_account=venue_account, **_settings(options)
            )
            account_settings.create(account, actor=options["actor"])
        self.stdout.write(f"{account.name}: made, {'on' if account.enabled else 'off'}.")

    def _edit(self, options: dict[str, Any]) -> None:
        changes: dict[str, Any] = _settings(options)
        if options["enabled"]:
            changes["enabled"] = SWITCH[options["enabled"]]
        if options["default"]:
            changes["is_default"] = True
        done = account_settings.change(
            account_id=_account(options["name"]).pk, changes=changes, actor=options["actor"]
        )
        if done.after or not done.waits:
            told = json.dumps(done.after) if done.after else "it was so already"
            self.stdout.write(f"{options['name']}: {told}")
        self._tell_what_waits(done.waits)

    def _fund(self, options: dict[str, Any]) -> None:
        amount = _number("amount", options["amount"])
        account = _account(options["name"])
        move = ledger.move(account.pk, amount, actor=options["actor"], reason=options["reason"])
        self.stdout.write(f"{account.name}: {plain(move.cash)} {account.quote_asset} of its own.")

    def _reset_drawdown(self, options: dict[str, Any]) -> None:
        account = _account(options["name"])
        try:
            course = equity.reset_drawdown(
                account.pk, actor=options["actor"], reason=options["reason"]
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        worth = course.base + course.profit
        self.stdout.write(f"{account.name}: drawdown is measured from {plain(worth)} on.")

    def _map(self, options: dict[str, Any]) -> None:
        name = options["name"]
        account = None if name == "default" else _account(name)
        done = accounts.map_strategy(options["strategy"], account, actor=options["actor"])
        if done.waits:
            self._tell_what_waits(done.waits)
            return
        told = f"trades in {name}" if done else f"trades in {name} already"
        if options["min_spread_bps"] is not None:
            least = _number("min_spread_bps", options["min_spread_bps"])
            actor = options["actor"]
            accounts.tell_needs(options["strategy"], min_spread_bps=least, actor=actor)
            told += f", and signals from a spread of {plain(least)} basis points on"
        self.stdout.write(f"{options['strategy']} {told}.")

    def _tell_what_waits(self, approval: Approval | None) -> None:
        if approval is not None:
            self.stdout.write(
                f"Not done yet: {approval}. Another person must approve {approval.pk} "
                f"(manage.py approvals approve {approval.pk})."
            )


def _number(name: str, given: str) -> Decimal:
    try:
        return Decimal(given)
    except InvalidOperation:
        raise CommandError(f"{name}: {given} is not a number.") from None


def _money(account: VirtualAccount) -> str:
    if account.capital is None:
        return "money of the venue account"
    cash = ledger.cash(account, account.positions.all())
    return f"{plain(cash)} {account.quote_asset} of its own"


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if options["sizing_model"]:
        given["sizing_model"] = options["sizing_model"]
    if options["order_type"]:
        given["default_order_type"] = options["order_type"]
    if options["symbols"] is not None:
        symbols = (one.strip().upper() for one in options["symbols"].split(","))
        given["allowed_symbols"] = [one for one in symbols if one]
    if options["window"] is not None:
        given["trading_window"] = options["window"]
    return given


def _account(name: str) -> VirtualAccount:
    account = VirtualAccount.objects.filter(name=name).first()
    if account is None:
        raise CommandError(f"There is no account {name}.")
    return account
