"""Fetch candles, funding rates or trades of the past: `manage.py backfill --symbol BTCUSDT ...`.

    manage.py backfill --symbol BTCUSDT,ETHUSDT --interval 1m,1h --from 2024-01-01 --to 2024-07-01
    manage.py backfill --symbol BTCUSDT --interval 1m --from 90d
    manage.py backfill --market usdm --symbol BTCUSDT --what funding --from 2023-01-01
    manage.py backfill --symbol BTCUSDT --what trades --from 2024-08-08 --to 2024-08-09

It can be stopped or killed at any time: what is stored is passed over when it runs again.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from exchanges.domain import venues
from exchanges.domain.candle_checks import BadCandle
from exchanges.domain.candles import INTERVALS, length_ms
from exchanges.domain.errors import RateLimited, Rejected, VenueError
from exchanges.domain.venues import Environment, Market
from exchanges.history import fill, funding, trades
from exchanges.history import series as histories
from exchanges.history.fill import Page
from exchanges.models import Series
from exchanges.venues.binance import market_history
from exchanges.venues.binance.market_history import MarketHistory

AGO = re.compile(r"(?P<count>\d{1,5})(?P<unit>[hdw])")
UNITS = {"h": "hours", "d": "days", "w": "weeks"}
TRIES_BETWEEN_PAGES = 10
REST_SECONDS = 5.0


class Command(BaseCommand):
    help = __doc__

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--symbol", default="", help="one or more, by commas (TRADING_SYMBOLS)")
        parser.add_argument("--interval", default="", help="one or more (CANDLE_INTERVALS)")
        parser.add_argument("--from", dest="start", default="30d", help="date, time, or 90d ago")
        parser.add_argument("--to", dest="end", default="", help="date or time, excluded (now)")
        parser.add_argument("--market", default="spot", choices=list(Market))
        parser.add_argument("--environment", default="", choices=["", *Environment])
        parser.add_argument("--what", default="candles", choices=["candles", "funding", "trades"])
        parser.add_argument("--outages", action="store_true", help="ask for known outages too")

    def handle(self, **options: Any) -> None:
        symbols = _symbols(options["symbol"])
        intervals = _intervals(options["interval"]) if options["what"] == "candles" else [""]
        now = datetime.now(UTC)
        start_ms = moment("--from", options["start"], now)
        end_ms = moment("--to", options["end"], now) if options["end"] else _ms(now)
        if start_ms >= end_ms:
            raise CommandError(f"--from {options['start']} is not before --to {options['end']}")
        if options["what"] == "funding" and options["market"] != "usdm":
            raise CommandError("--what funding: only --market usdm has funding rates")
        environment = options["environment"] or settings.VENUE_ENVIRONMENT
        place = venues.venue(environment, options["market"])
        try:
            history = market_history.for_venue(place)
        except ImproperlyConfigured as error:
            raise CommandError(f"--market {options['market']}: {error}") from None
        for symbol in symbols:
            for interval in intervals:
                self._fetch(history, symbol, interval, start_ms, end_ms, options)

    def _fetch(
        self,
        history: MarketHistory,
        symbol: str,
        interval: str,
        start_ms: int,
        end_ms: int,
        options: dict[str, Any],
    ) -> None:
        def pages() -> Iterator[Page]:
            _check_listed(history, symbol, interval or "1d", start_ms)
            if options["what"] == "funding":
                return funding.fill(history, symbol, start_ms, end_ms)
            if options["what"] == "trades":
                return trades.fill(history, symbol, start_ms, end_ms)
            one = histories.get(
                venue=history.venue,
                symbol=symbol,
                interval=interval,
            )
            again = bool(options["outages"])
            return fill.series(history, one, start_ms, end_ms, ask_for_outages=again)

        name = f"{symbol} {interval or options['what']}"
        stored, watch = 0, time.perf_counter()
        with _bar(self.stderr) as bar:
            task = bar.add_task(name, total=end_ms - start_ms, said="")
            try:
                for page in _patiently(pages, bar, task):
                    stored += page.stored
                    bar.update(
                        task, completed=page.until_ms - start_ms, said=f"{stored} new or changed"
                    )
                bar.update(task, completed=end_ms - start_ms)
            except (VenueError, BadCandle, trades.BadTrade) as error:
                raise CommandError(f"{name}: {_worded(error, symbol)}") from error
        seconds = time.perf_counter() - watch
        self.stdout.write(f"{name}: {stored} new or changed in {seconds:.1f} s")


def _check_listed(history: MarketHistory, symbol: str, interval: str, at_ms: int) -> None:
    """Ask for one candle of a symbol that is new, so that no series is made of one that is not
    listed. VenueError may escape."""
    known = Series.objects.filter(**history.venue.columns(), symbol=symbol)
    if not known.exists():
        history.klines(symbol, interval, start_ms=at_ms, end_ms=at_ms + length_ms(interval))


def _patiently(pages: Any, bar: Progress, task: TaskID) -> Iterator[Page]:
    """Yield pages; wait when the budget says so, and try again after what may pass."""
    left = TRIES_BETWEEN_PAGES
    while True:
        try:
            for page in pages():
                left = TRIES_BETWEEN_PAGES
                yield page
            return
        except Rejected:
            raise
        except VenueError as error:
            left -= 1
            if left <= 0:
                raise
            wait = error.retry_after if isinstance(error, RateLimited) else REST_SECONDS
            bar.update(task, said=f"waits {wait:.0f} s: {error.text[:60]}")
            time.sleep(wait)


def _bar(stderr: Any) -> Progress:
    return Progress(
        TextColumn("{task.description:>18}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}"),
        console=Console(file=stderr._out),
    )


def moment(option: str, text: str, now: datetime) -> int:
    """Read a date, an ISO time (UTC unless it says otherwise) or `90d` ago; return epoch ms."""
    ago = AGO.fullmatch(text)
    if ago is not None:
        return _ms(now - timedelta(**{UNITS[ago["unit"]]: int(ago["count"])}))
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{option} {text!r} is no time: write 2024-08-09, 2024-08-09T12:30 or 90d"
        ) from None
    return _ms(read if read.tzinfo else read.replace(tzinfo=UTC))


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _symbols(text: str) -> list[str]:
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    if text and not names:
        raise CommandError(f"--symbol {text!r} names none: write BTCUSDT or BTCUSDT,ETHUSDT")
    found = names or list(settings.TRADING_SYMBOLS)
    for name in found:
        if not re.fullmatch(r"[A-Z0-9_]{2,32}", name):
            raise CommandError(f"--symbol {name!r} is no symbol: write BTCUSDT or BTCUSDT,ETHUSDT")
    return found


def _intervals(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if text and not names:
        raise CommandError(f"--interval {text!r} names none of {', '.join(INTERVALS)}")
    for name in names:
        if name not in INTERVALS:
            raise CommandError(f"--interval {name!r} is none of {', '.join(INTERVALS)}")
    return names or list(settings.CANDLE_INTERVALS)


def _worded(error: Exception, symbol: str) -> str:
    if isinstance(error, Rejected) and error.code == -1121:
        return f"--symbol {symbol}: the venue does not list it"
    return str(error)
