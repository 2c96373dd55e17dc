"""Candles to Parquet files and back, and freqtrade's downloads in.

Our files have the columns of `Candle` under the same names, `opened_ms` and `trades` as int64, the
others as float64, oldest first; symbol, interval and venue stand in the file's
metadata (`petrosa`). What comes in is checked row by row, whoever wrote it.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from exchanges.domain import candle_checks
from exchanges.domain.candles import Candle, Candles, length_ms
from exchanges.domain.venues import Venue
from exchanges.history import store

METADATA = b"petrosa"
REQUIRED = ("opened_ms", "open", "high", "low", "close", "volume")
ABSENT = {"quote_volume", "trades", "taker_volume", "taker_quote_volume"}
OTHER_NAMES = {"date": "opened_ms", "open_time": "opened_ms", "timestamp": "opened_ms"}
PIECE = 500_000  # candles of an export that are in memory at once


SUFFIXES = (".parquet", ".feather", ".json", ".json.gz")
KINDS = "a .parquet file of ours, or freqtrade's .feather, .json or .json.gz"


class UnreadableFile(ValueError):
    """Not a file of candles; the text names the column."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    rows: int
    stored: int
    gaps: int


def export(
    path: Path,
    *,
    venue: Venue,
    symbol: str,
    interval: str,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> int:
    """Write a series to a Parquet file, return its rows. The file is whole or as before."""
    pq = _lazily("pyarrow.parquet")

    name = {**venue.columns(), "symbol": symbol, "interval": interval}
    schema = _schema().with_metadata({METADATA: orjson.dumps(name)})
    part = path.with_name(path.name + ".part")
    rows = 0
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:
        of = {"venue": venue, "symbol": symbol, "interval": interval}
        for piece in _pieces(of, start_ms, end_ms):
            writer.write_table(_table(piece, schema))
            rows += len(piece)
    part.replace(path)
    return rows


def read(path: Path, *, symbol: str, interval: str) -> Candles:
    """Read a Parquet file, or freqtrade's .feather, .json or .json.gz.

    Columns that a file lacks (freqtrade keeps prices and volume only) are 0; quote volume is then
    volume times the middle of the candle. Raise UnreadableFile.
    """
    _check_kind(path)
    columns = _json(path) if ".json" in path.suffixes else _arrow(path)
    if missing := [name for name in REQUIRED if name not in columns]:
        raise UnreadableFile(f"{path.name}: column {missing[0]} is missing")
    found: dict[str, Any] = {
        name: np.ascontiguousarray(columns[name], dtype=_type(name))
        for name in Candle._fields
        if name in columns
    }
    middle = (found["high"] + found["low"] + found["close"]) / 3
    found.setdefault("quote_volume", found["volume"] * middle)
    for name in ABSENT - found.keys():
        found[name] = np.zeros(len(middle), dtype=_type(name))
    return Candles(symbol, interval, **found)


def take_in(path: Path, *, venue: Venue, symbol: str, interval: str) -> Imported:
    """Check a file and store it. Raise UnreadableFile, or BadCandle that names row and field."""
    candles = read(path, symbol=symbol, interval=interval)
    candle_checks.check_order(candles)
    stored = store.store(venue=venue, symbol=symbol, interval=interval, rows=candles)
    return Imported(len(candles), stored, len(candles.gaps()))


def told_by(path: Path) -> Mapping[str, str]:
    """Return what one of our own files says it is of; empty for others. Raise UnreadableFile."""
    _check_kind(path)
    if path.suffix.lower() != ".parquet":
        return {}
    pq = _lazily("pyarrow.parquet")

    try:
        metadata = pq.read_schema(path).metadata or {}
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise _no_candles(path, error) from error
    return orjson.loads(metadata[METADATA]) if METADATA in metadata else {}


# ---- inside ----------------------------------------------------------------------------------


def _check_kind(path: Path) -> None:
    if not path.name.lower().endswith(SUFFIXES):
        raise UnreadableFile(f"{path.name} is no file of candles: it must be {KINDS}")


def _no_candles(path: Path, error: Exception) -> UnreadableFile:
    return UnreadableFile(f"{path.name} is no file of candles (it must be {KINDS}): {error}")


def _pieces(of: Mapping[str, Any], start_ms: int | None, end_ms: int | None) -> Iterator[Candles]:
    """Yield a series in pieces that fit into memory, whatever its length."""
    while True:
        piece = store.load(**of, start_ms=start_ms, end_ms=end_ms, first=PIECE)
        if not len(piece):
            return
        yield piece
        start_ms = int(piece.opened_ms[-1]) + length_ms(piece.interval)


def _schema() -> Any:
    pa = _lazily("pyarrow")

    return pa.schema([(name, pa.from_numpy_dtype(_type(name))) for name in Candle._fields])


def _table(candles: Candles, schema: Any) -> Any:
    pa = _lazily("pyarrow")

    return pa.table([getattr(candles, name) for name in Candle._fields], schema=schema)


def _arrow(path: Path) -> dict[str, Any]:
    pa = _lazily("pyarrow")
    feather = _lazily("pyarrow.feather")
    pq = _lazily("pyarrow.parquet")

    try:
        table = feather.read_table(path) if path.suffix == ".feather" else pq.read_table(path)
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowInvalid) as error:
        raise _no_candles(path, error) from error
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("ms", tz=column.type.tz)).cast(pa.int64())
        our_name = OTHER_NAMES.get(name, name)
        if our_name in Candle._fields:
            if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
                raise UnreadableFile(f"{path.name}: column {name} holds {column.type}, no numbers")
            if column.null_count:
                raise UnreadableFile(
                    f"{path.name}: column {name} has {column.null_count} empty rows"
                )
            columns[our_name] = column.to_numpy()
    return columns


def _json(path: Path) -> dict[str, Any]:
    """Read rows [opened_ms, open, high, low, close, volume]."""
    raw = path.read_bytes()
    try:
        rows = orjson.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
        columns = list(zip(*rows, strict=True))
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise _no_candles(path, error) from error
    if len(columns) < len(REQUIRED):
        raise UnreadableFile(f"{path.name}: column {REQUIRED[len(columns)]} is missing")
    try:
        return {
            name: np.asarray(column, dtype=_type(name))
            for name, column in zip(REQUIRED, columns, strict=False)
        }
    except (ValueError, TypeError) as error:
        raise UnreadableFile(f"{path.name}: not all are numbers: {error}") from error


def _lazily(module: str) -> Any:
    """Import what only those need who read or write a file: it takes a while."""
    return import_module(module)


def _type(name: str) -> Any:
    return np.int64 if name in store.WHOLE else np.float64
