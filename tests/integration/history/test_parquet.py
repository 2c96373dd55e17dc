from __future__ import annotations

import gzip
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from exchanges.domain.candle_checks import BadCandle
from exchanges.domain.candles import Candles
from exchanges.history import parquet, store
from exchanges.models import Series
from tests.fakes.candles import START_MS, candle, candles
from tests.places import MAINNET, SIMULATOR

pytestmark = pytest.mark.django_db
MINUTE = 60_000
ROOT = Path(__file__).resolve().parents[3]
RECORDED = ROOT.parent / "shared" / "binance" / "data"
BTC: dict[str, Any] = {
    "venue": SIMULATOR,
    "symbol": "BTCUSDT",
    "interval": "1m",
}


def written(path: Path, rows: list[Any]) -> Path:
    pq = import_module("pyarrow.parquet")

    columns = Candles.of("BTCUSDT", "1m", rows)
    pq.write_table(parquet._table(columns, parquet._schema()), path)
    return path


def test_what_goes_out_comes_back_exactly(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "PIECE", 30)
    store.store(**BTC, rows=candles(100))
    file = tmp_path / "btc.parquet"

    assert parquet.export(file, **BTC) == 100
    taken = parquet.take_in(file, **(BTC | {"venue": MAINNET}))

    assert taken == parquet.Imported(100, 100, 0)
    assert list(store.load(**(BTC | {"venue": MAINNET}))) == candles(100)


def test_a_file_of_ours_says_what_it_is_of(tmp_path, capsys):
    store.store(**BTC, rows=candles(10))
    file = tmp_path / "btc.parquet"
    words = ["--symbol=btcusdt", "--interval=1m", "--environment=simulator"]
    call_command("candles", "export", f"--file={file}", *words, "--to=2024-08-09T00:07")

    call_command("candles", "import", f"--file={file}", "--environment=mainnet", "--as-if")

    told = capsys.readouterr().out
    assert "BTCUSDT 1m (binance.spot.simulator): 7 candles written" in told
    assert "BTCUSDT 1m (binance.spot.mainnet): 7 candles read, 7 new or changed, 0 gaps" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--environment=mainnet", "--environment mainnet: .* of simulator.* add --as-if"),
        ("--symbol=ethusdt", "--symbol ETHUSDT: .* of BTCUSDT"),
        ("--interval=5m", "--interval 5m: .* of 1m"),
        ("--market=usdm", "--market usdm: .* of spot"),
    ],
)
def test_a_file_of_ours_is_taken_in_as_nothing_else(tmp_path, words, told):
    store.store(**BTC, rows=candles(10))
    file = tmp_path / "btc.parquet"
    parquet.export(file, **BTC)

    with pytest.raises(CommandError, match=told):
        call_command("candles", "import", f"--file={file}", words)
    assert Series.objects.count() == 1
    call_command("candles", "import", f"--file={file}")


@pytest.mark.parametrize("words", [("--symbol=NOPE",), ("--symbol=BTCUSDT", "--from=2030-01-01")])
def test_an_export_of_nothing_is_refused_and_names_what_there_is(tmp_path, words):
    store.store(**BTC, rows=candles(10))
    file = tmp_path / "none.parquet"

    with pytest.raises(CommandError, match=r"no candles are stored.* There are BTCUSDT 1m"):
        call_command(
            "candles",
            "export",
            f"--file={file}",
            *words,
            "--interval=1m",
            "--environment=simulator",
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["btcusdt_20240809.gz", "rows.json.gz", "note.parquet", "a.feather"]
)
def test_what_is_no_file_of_candles_is_told_with_the_kinds_that_are(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(gzip.compress(b'1723161600000000000 {"stream":"btcusdt@depth"}'))

    with pytest.raises(
        CommandError, match=r"is no file of candles.*\.parquet file of ours.*feather"
    ):
        call_command("candles", "import", f"--file={file}", "--symbol=BTCUSDT", "--interval=1m")


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([candle(), candle()], "row 1, opened_ms"),
        ([candle(START_MS + MINUTE), candle()], "row 1, opened_ms"),
        ([candle(), candle(START_MS + 30_000)], "row 1, opened_ms"),
        ([candle(), candle(START_MS + MINUTE, high=50.0)], "row 1, high"),
        ([candle(close=float("nan"))], "row 0, close"),
    ],
)
def test_a_row_that_cannot_be_is_named_and_nothing_is_stored(tmp_path, rows, named):
    file = written(tmp_path / "bad.parquet", rows)

    with pytest.raises(BadCandle, match=named):
        parquet.take_in(file, **BTC)
    assert len(store.load(**BTC)) == 0


def test_a_column_that_is_missing_is_named(tmp_path):
    pa = import_module("pyarrow")
    pq = import_module("pyarrow.parquet")

    file = tmp_path / "short.parquet"
    pq.write_table(pa.table({"opened_ms": [START_MS], "open": [1.0]}), file)

    with pytest.raises(CommandError, match="column high is missing"):
        call_command("candles", "import", f"--file={file}", "--symbol=BTCUSDT", "--interval=1m")


def test_a_column_of_words_is_named(tmp_path):
    pa = import_module("pyarrow")
    pq = import_module("pyarrow.parquet")

    file = tmp_path / "words.parquet"
    pq.write_table(pa.table({"opened_ms": [START_MS], "open": ["much"]}), file)

    with pytest.raises(parquet.UnreadableFile, match="column open holds string"):
        parquet.read(file, symbol="BTCUSDT", interval="1m")


def test_a_file_that_is_none_is_refused(tmp_path):
    file = tmp_path / "note.parquet"
    file.write_text("no parquet")

    with pytest.raises(CommandError, match=r"note\.parquet"):
        call_command("candles", "import", f"--file={file}", "--symbol=BTCUSDT", "--interval=1m")


def test_freqtrade_s_json_is_read(tmp_path):
    file = tmp_path / "BTC_USDT-1m.json"
    file.write_text(f"[[{START_MS},100,103,99,101,5],[{START_MS + MINUTE},101,102,100,101,4]]")

    assert parquet.take_in(file, **BTC).stored == 2

    first = next(iter(store.load(**BTC)))
    assert (first.high, first.volume, first.trades) == (103.0, 5.0, 0)
    assert first.quote_volume == pytest.approx(5 * 101)


@pytest.mark.parametrize(
    ("name", "interval", "rows", "gaps"),
    [
        ("klines_spot/ichiv1/BTC_USDT-5m.feather", "5m", 87_983, 1),
        ("klines_spot/FreqBot/BTC_USDT-15m.json.gz", "15m", 57_995, 0),
        ("klines_usdm/cyft_trader/BTC_USDT_USDT-1h-futures.feather", "1h", 11_991, 0),
    ],
)
def test_recordings_come_in_whole(name, interval, rows, gaps):
    file = RECORDED / name
    if not file.exists():
        pytest.skip("the recordings are not beside this repository (../shared/binance/data)")
    names = BTC | {"interval": interval, "venue": MAINNET}

    taken = parquet.take_in(file, **names)

    assert (taken.rows, taken.stored, taken.gaps) == (rows, rows, gaps)
    assert len(store.load(**names)) == rows


def test_nothing_that_serves_pages_imports_pyarrow():
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'petrosa_site.settings'; "
        "django.setup(); import petrosa_site.urls, exchanges.tasks, exchanges.history.parquet, "
        "exchanges.management.commands.candles; "
        "print([m for m in ('pyarrow', 'pandas', 'talib', 'litecharts') if m in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == "[]"
