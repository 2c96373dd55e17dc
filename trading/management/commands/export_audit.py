"""Write every order as a trade_audit_log document, to a file or to standard output."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from trading.selectors import audit_documents


class Command(BaseCommand):
    help = "Export orders in the shape of the collection trade_audit_log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=sorted(audit_documents.LINES), default="jsonl")
        parser.add_argument("--since", help="ISO 8601 with a zone, from here on")
        parser.add_argument("--until", help="ISO 8601 with a zone, up to, not including")
        parser.add_argument("--out", type=Path, help="a file; standard output when not given")

    def handle(self, *args: Any, **options: Any) -> None:
        found = audit_documents.documents(
            since=_moment("since", options["since"]), until=_moment("until", options["until"])
        )
        lines = audit_documents.LINES[options["format"]](found)
        if options["out"] is None:
            self._print(lines)
        else:
            _write(options["out"], lines)

    def _print(self, lines: Iterator[bytes]) -> None:
        try:
            for line in lines:
                self.stdout.write(line.decode(), ending="")
            self.stdout.flush()
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(path: Path, lines: Iterator[bytes]) -> None:
    """Write beside the target first, so that nobody ever reads half an export."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with unfinished.open("wb") as file:
            file.writelines(lines)
        unfinished.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from error


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise CommandError(f"--{name} {text!r} is no ISO 8601 time with a zone.")
    return found
