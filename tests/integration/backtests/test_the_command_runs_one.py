from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests import recordings
from tests.integration.backtests.conftest import ID


def told(*words, **options):
    out = io.StringIO()
    call_command("run_backtest", ID, *words, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_it_says_what_it_came_to(history):
    said = told("--symbol", "BTCUSDT", "--interval", "1m")
    assert "Sharpe" in said
    assert "Buy and hold" in said


def test_json_goes_to_the_terminal(history):
    found = json.loads(told("--symbol", "BTCUSDT", "--interval", "1m", "--json", "-"))
    assert found["setup"]["symbol"] == "BTCUSDT"
    assert found["figures"]["trades"] == len(found["trades"])


def test_files_are_written(history, tmp_path):
    told("--symbol", "BTCUSDT", "--interval", "1m", "--html", str(tmp_path / "r.html"))
    page = (tmp_path / "r.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "Apache License" in page


def test_limits_come_from_a_file(history, tmp_path):
    path = tmp_path / "limits.yaml"
    path.write_text("- {scope: global, name: min_confidence, value: '0.99'}\n")
    said = told("--symbol", "BTCUSDT", "--interval", "1m", "--limits", str(path))
    assert "CONFIDENCE_BELOW_MIN" in said


@pytest.mark.parametrize(
    ("words", "objection"),
    [
        (["--symbol", "BTCUSDT", "--interval", "7m"], "--interval: '7m' is no interval"),
        (["--symbol", "BTCUSDT", "--interval", "1h"], "--from: 0 1h candles"),
        (["--symbol", "BTCUSDT", "--interval", "1m", "--params", "fast"], "--params: write 'fast'"),
        (["--symbol", "BTCUSDT", "--interval", "1m", "--params", "fast=0"], "--params: fast"),
        (["--symbol", "BTCUSDT", "--interval", "1m", "--preset", "x"], "--preset: it has none"),
        (["--symbol", "BTCUSDT", "--interval", "1m", "--fee-bps", "x"], "--fee-bps: 'x'"),
        (["--symbol", "BTCUSDT", "--interval", "1m", "--file", "none.csv"], "--file: none.csv"),
        (["--symbol", "BTCUSDT", "--interval", "1m", "--file", "none.doc"], "--file: none.doc"),
    ],
)
def test_an_objection_names_the_option(history, words, objection):
    with pytest.raises(CommandError) as refused:
        told(*words)
    assert objection in str(refused.value)


def test_an_unknown_strategy_is_told(db):
    with pytest.raises(CommandError, match="STRATEGY: 'nobody' is none of our strategies"):
        call_command("run_backtest", "nobody", "--symbol", "BTCUSDT", "--interval", "1m")


@recordings.needed
def test_a_recorded_stream_is_run(db):
    out = io.StringIO()
    words = [
        "--symbol",
        "BTCUSDT",
        "--preset",
        "recommended",
        "--stream",
        *map(str, recordings.SPOT),
    ]
    call_command(
        "run_backtest", "orderbook_skew", *words, "--json", "-", stdout=out, stderr=io.StringIO()
    )
    assert json.loads(out.getvalue())["fills"]


def test_a_stream_that_is_none_is_told(db, tmp_path):
    path = tmp_path / "stream.txt"
    path.write_text("12 {nonsense\n")
    with pytest.raises(CommandError, match="--stream: this is no recording"):
        call_command("run_backtest", "orderbook_skew", "--symbol", "BTCUSDT", "--stream", str(path))


def test_a_time_that_is_not_covered_is_told(history):
    words = ["--symbol", "BTCUSDT", "--interval", "1m", "--to", "2025-01-11"]
    assert "WARNING: 4,320 of 14,400 candles of this time are missing (3 of 10 days" in told(*words)
    (said,) = json.loads(told(*words, "--json", "-"))["warnings"]
    assert "3 of 10 days have no candles" in said
