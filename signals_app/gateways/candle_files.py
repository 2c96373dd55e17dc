"""Candles from a file: JSON, CSV, Parquet or Feather, any of them gzip-ed where that is usual.

A row is [open time, open, high, low, close, volume] and may go on as the venue's klines do. Tables
name their columns; the time may be epoch seconds, milliseconds, microseconds or a date.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from exchanges.domain.candles import Candles, length_ms

NAMES = {
    "opened_ms": ("opened_ms", "open_time", "opentime", "date", "timestamp", "time", "datetime"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "v", "vol"),
}
LARGEST = 2**30


class FileUnreadable(ValueError):
    """The file holds no candles that can be read; the text says why."""


def read(path: Path, *, symbol: str, interval: str) -> Candles:
    """Read a file by its ending. Raise FileUnreadable, UnknownInterval."""
    length_ms(interval)
    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    readers = {"json": _json, "csv": _csv, "parquet": _table, "feather": _table, "arrow": _table}
    if kind not in readers:
        raise FileUnreadable(f"{path.name}: name it .json, .csv, .parquet or .feather (or .gz)")
    try:
        if path.stat().st_size > LARGEST:
            raise FileUnreadable(f"{path.name} is larger than 1 GiB")
        columns = readers[kind](path)
    except OSError as error:
        raise FileUnreadable(f"{path.name}: {error.strerror or error}") from None
    except (ValueError, TypeError, IndexError, EOFError) as error:
        raise FileUnreadable(f"{path.name}: {error}") from None
    return _built(columns, symbol, interval)


def _built(columns: dict[str, Any], symbol: str, interval: str) -> Candles:
    opened = _milliseconds(columns["opened_ms"])
    order = np.argsort(opened, kind="stable")
    opened = opened[order]
    if len(opened) > 1 and int(np.diff(opened).min()) < length_ms(interval):
        apart = int(np.diff(opened).min())
        raise FileUnreadable(
            f"candles are {apart} ms apart: that is not {interval}; name the interval they have"
        )
    prices = {n: np.asarray(columns[n], dtype=np.float64)[order] for n in NAMES if n != "opened_ms"}
    nothing = np.zeros(len(opened))
    return Candles(
        symbol,
        interval,
        opened,
        **prices,
        quote_volume=nothing,
        trades=np.zeros(len(opened), dtype=np.int64),
        taker_volume=nothing,
        taker_quote_volume=nothing,
    )


def _milliseconds(values: Any) -> Any:
    found = np.asarray(values)
    if found.dtype.kind == "M":
        return found.astype("datetime64[ms]").astype(np.int64)
    if found.dtype.kind in "OUS":
        return np.array([_moment(str(v)) for v in found], dtype=np.int64)
    whole = found.astype(np.float64)
    if len(whole) and not np.isfinite(whole).all():
        raise FileUnreadable("an open time is no number")
    largest = float(np.abs(whole).max()) if len(whole) else 0.0
    if largest < 1e11:
        return (whole * 1000).astype(np.int64)
    if largest > 1e14:
        return (found.astype(np.int64)) // 1000
    return found.astype(np.int64)


def _moment(text: str) -> int:
    if text.replace(".", "", 1).isdigit():
        return int(_milliseconds(np.array([float(text)]))[0])
    return int(np.datetime64(text.replace("Z", "").partition("+")[0], "ms").astype(np.int64))


def _json(path: Path) -> dict[str, Any]:
    return _of_rows(orjson.loads(_bytes(path)))


def _csv(path: Path) -> dict[str, Any]:
    rows = list(csv.reader(io.StringIO(_bytes(path).decode("utf-8-sig"))))
    rows = [row for row in rows if row]
    if rows and not rows[0][1].replace(".", "", 1).isdigit():
        head, rest = rows[0], rows[1:]
        return _of_columns(dict(zip(head, zip(*rest, strict=True), strict=True)))
    return _of_rows(rows)


def _table(path: Path) -> dict[str, Any]:
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    feather: Any = import_module("pyarrow.feather")
    try:
        source = arrow.BufferReader(_bytes(path))
        is_parquet = ".parquet" in path.name.lower()
        found = parquet.read_table(source) if is_parquet else feather.read_table(source)
    except arrow.ArrowException as error:
        raise FileUnreadable(f"{path.name}: {error}") from None
    return _of_columns({n: found.column(n).to_numpy() for n in found.column_names})


def _of_rows(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    if not isinstance(rows, list) or not rows:
        raise FileUnreadable("there are no candles in it")
    if any(not isinstance(row, list) or len(row) < len(NAMES) for row in rows):
        raise FileUnreadable("write each candle as [open time, open, high, low, close, volume]")
    columns = list(zip(*(row[: len(NAMES)] for row in rows), strict=True))
    return dict(zip(NAMES, columns, strict=True))


def _of_columns(given: dict[str, Any]) -> dict[str, Any]:
    lowered = {name.strip().lower(): column for name, column in given.items()}
    found = {}
    for name, spellings in NAMES.items():
        column = next((lowered[s] for s in spellings if s in lowered), None)
        if column is None:
            raise FileUnreadable(f"there is no column {name}; it has {', '.join(given)}")
        found[name] = column
    return found


def _bytes(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
