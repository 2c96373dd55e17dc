"""Candles to Parquet files and back: `manage.py candles export|import`.

    manage.py candles export --symbol BTCUSDT --interval 1m --file btc.parquet
    manage.py candles import --file btc.parquet
    manage.py candles import --file BTC_USDT-5m.feather --symbol BTCUSDT --interval 5m

An import reads our own Parquet files and freqtrade's .feather, .json and .json.gz; each row is
checked, and the first that cannot be is named. A file of ours says what it is of: it goes to no
other environment, market, symbol or interval unless --as-if says that this is meant.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchanges.domain import venues
from exchanges.domain.candle_checks import BadCandle
from exchanges.domain.candles import INTERVALS
from exchanges.domain.venues import Environment, Market, Venue
from exchanges.history import parquet, store
from exchanges.management.commands.backfill import moment
from exchanges.models import Series

MOST_NAMED = 20
KEYS = ("environment", "market", "symbol", "interval")


class Command(BaseCommand):
    help = __doc__

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["export", "import"])
        parser.add_argument("--file", required=True, type=Path)
        parser.add_argument("--symbol", default="")
        parser.add_argument("--interval", default="", choices=["", *INTERVALS])
        parser.add_argument("--market", default="", choices=["", *Market])
        parser.add_argument("--environment", default="", choices=["", *Environment])
        parser.add_argument("--from", dest="start", default="", help="export: date, time, or 90d")
        parser.add_argument("--to", dest="end", default="", help="export: date or time, excluded")
        parser.add_argument(
            "--as-if",
            action="store_true",
            help="import: take candles in as what the options say, though the file says otherwise",
        )

    def handle(self, **options: Any) -> None:
        try:
            told = parquet.told_by(options["file"]) if options["what"] == "import" else {}
            if not options["as_if"]:
                _check_same(options, told)
            name = _named(options, told)
            if options["what"] == "export":
                self._export(options, name)
            else:
                self._import(options["file"], name)
        except (BadCandle, parquet.UnreadableFile, OSError) as error:
            raise CommandError(f"--file {options['file']}: {error}") from error

    def _export(self, options: dict[str, Any], name: _Name) -> None:
        now = datetime.now(UTC)
        start, end = options["start"], options["end"]
        start_ms = moment("--from", start, now) if start else None
        end_ms = moment("--to", end, now) if end else None
        there = store.load(
            venue=name.venue,
            symbol=name.symbol,
            interval=name.interval,
            start_ms=start_ms,
            end_ms=end_ms,
            first=1,
        )
        if not len(there):
            raise CommandError(_nothing(name, in_time=bool(start or end)))
        rows = parquet.export(
            options["file"],
            venue=name.venue,
            symbol=name.symbol,
            interval=name.interval,
            start_ms=start_ms,
            end_ms=end_ms,
        )
        self.stdout.write(f"{name}: {rows} candles written to {options['file']}")

    def _import(self, path: Path, name: _Name) -> None:
        found = parquet.take_in(path, venue=name.venue, symbol=name.symbol, interval=name.interval)
        self.stdout.write(
            f"{name}: {found.rows} candles read, {found.stored} new or changed, "
            f"{found.gaps} gaps in the file"
        )


@dataclass(frozen=True, slots=True)
class _Name:
    """What candles are of."""

    venue: Venue
    symbol: str
    interval: str

    def __str__(self) -> str:
        return f"{self.symbol} {self.interval} ({self.venue})"


def _named(options: dict[str, Any], told: Any) -> _Name:
    """Return what the candles are of: as the options say, else as the file says."""
    name = {key: options[key] or told.get(key, "") for key in KEYS}
    for key in ("symbol", "interval"):
        if not name[key]:
            raise CommandError(f"--{key} is missing: the file does not say it")
    place = venues.venue(
        name["environment"] or settings.VENUE_ENVIRONMENT, name["market"] or Market.SPOT
    )
    return _Name(place, name["symbol"].upper(), name["interval"])


def _check_same(options: dict[str, Any], told: Mapping[str, str]) -> None:
    """Made-up candles must not become a venue's by an option that was mistyped."""
    for key in KEYS:
        asked = options[key].upper() if key == "symbol" else options[key]
        if asked and told.get(key, asked) != asked:
            raise CommandError(
                f"--{key} {asked}: {options['file']} says that its candles are of {told[key]}. "
                "If you mean to take them in all the same, add --as-if"
            )


def _nothing(name: _Name, *, in_time: bool) -> str:
    found = Series.objects.filter(**name.venue.columns(), rows__gt=0, interval__in=INTERVALS)
    there = [f"{one.symbol} {one.interval}" for one in found.order_by("symbol", "id")]
    more = f" and {len(there) - MOST_NAMED} more" if len(there) > MOST_NAMED else ""
    return (
        f"{name}: no candles are stored{' in that time' if in_time else ''}, so no file "
        f"was written. There are {', '.join(there[:MOST_NAMED]) or 'none at all'}{more}"
    )
