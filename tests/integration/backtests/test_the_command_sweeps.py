from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from signals_app.models import BacktestSweep
from tests.integration.backtests.conftest import ID

WORDS = ["--symbol", "BTCUSDT", "--interval", "1m", "--windows", "1", "--ratio", "1"]
GRID = ["--sweep", "fast=5,10", "--sweep", "slow=20:40:20"]


def told(*words):
    out = io.StringIO()
    call_command("run_backtest", ID, *WORDS, *words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_it_tries_every_combination_and_says_what_is_luck(history):
    said = told(*GRID)
    assert "fast 5, slow 20" in said
    assert "4 trials" in said
    assert "WARNING" in said
    assert BacktestSweep.objects.get().status == "done"


def test_json_goes_to_the_terminal(history):
    found = json.loads(told(*GRID, "--json", "-"))
    assert len(found["trials"]) == found["results"]["deflated"]["trials"] == 4


@pytest.mark.parametrize(
    ("words", "objection"),
    [
        (["--sweep", "fast"], "--sweep: write 'fast'"),
        (["--sweep", "faster=1,2"], "--sweep: "),
        (["--sweep", "fast=5", "--html", "r.html"], "--html: a sweep"),
        (["--sweep", "fast=5", "--windows", "20"], "--windows: "),
    ],
)
def test_an_objection_names_the_option(history, words, objection):
    with pytest.raises(CommandError) as refused:
        told(*words)
    assert objection in str(refused.value)
