"""The live desk in a terminal: `manage.py dashboard [--interval SECONDS] [--once]`."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from petrosa_site.desk import selectors, terminal
from trading.models import VirtualAccount
from trading.services.control import limits

THRESHOLDS = (
    "max_spread_bps",
    "max_slippage_bps",
    "max_quote_age_ms",
    "max_sender_gap_bps",
    "min_confidence",
    "max_open_positions",
    "max_position_notional",
    "stop_loss_pct",
    "cooldown_after_losses",
    "cooldown_seconds",
    "daily_loss_reduce_pct",
)


class Command(BaseCommand):
    help = "Show accounts, positions and the kill switch live in this terminal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--interval", type=float, default=1.0, help="seconds between looks")
        parser.add_argument("--once", action="store_true", help="draw one screen and end")

    def handle(self, *args: Any, interval: float, once: bool, **options: Any) -> None:
        if not 0.1 <= interval <= 3600:
            raise CommandError("--interval: write 0.1 to 3600 seconds.")
        console = Console(file=cast("IO[str]", self.stdout._out))
        if once:
            console.print(look(console.width))
            return
        first = look_or_say_why(console.width)
        with Live(first, console=console, screen=console.is_terminal, auto_refresh=False) as live:
            try:
                while True:
                    time.sleep(interval)
                    live.update(look_or_say_why(console.width), refresh=True)
            except KeyboardInterrupt:
                return


def look(width: int) -> RenderableType:
    return terminal.draw(selectors.books(), footer(), width=width)


def look_or_say_why(width: int) -> RenderableType:
    """Go on while the database is away: what is drawn then is that, not old figures."""
    close_old_connections()
    try:
        return look(width)
    except DatabaseError as error:
        return Text(f"The database does not answer: {error}", style="bold red")


def footer() -> terminal.Footer:
    account = VirtualAccount.objects.filter(is_default=True).first()
    held = limits.effective(account) if account else {}
    return terminal.Footer(
        configuration=(
            ("environment", str(settings.VENUE_ENVIRONMENT)),
            ("mainnet", "allowed" if settings.MAINNET_TRADING_ENABLED else "not allowed"),
            ("reconciled every", f"{settings.RECONCILE_INTERVAL_SECONDS} s"),
            ("window", (account.trading_window if account else "") or "24/7"),
            ("four eyes", "on" if settings.FOUR_EYES else "off"),
            ("desk", str(settings.DESK_TIMEZONE)),
        ),
        thresholds=tuple((name, held[name].text) for name in THRESHOLDS if name in held),
    )
