"""The state file was called state.json once, though it is a database."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exchanges.venues.simulator import store
from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import VenueClient

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def run_simulator(folder: Path, **settings: str) -> Iterator[str]:
    """Run the management command on an empty environment; yields its address."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_simulator", "--port", "0", "--prices", "still"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PETROSA_IGNORE_DOTENV": "true",
            "PETROSA_VAR_DIR": str(folder),
            **settings,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        found = re.search(r"listening on (http://\S+)", process.stdout.readline())
        assert found
        yield found[1]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A file of the older name with one order, whose process was killed."""
    path = tmp_path / "simulator" / "state.json"
    venue = SimulatorProcess(prices="still", state_file=path).start()
    VenueClient(venue).buy()
    venue.kill()
    return path


def trades_in(path: Path) -> int:
    with sqlite3.connect(path) as database:
        return int(
            database.execute("SELECT count(*) FROM records WHERE kind='trade'").fetchone()[0]
        )


def test_by_default_the_books_are_kept_in_simulator_db(tmp_path: Path) -> None:
    with run_simulator(tmp_path):
        assert (tmp_path / "simulator" / "simulator.db").exists()


def test_the_books_of_the_older_file_are_found_under_the_new_name(
    tmp_path: Path, older: Path
) -> None:
    with run_simulator(tmp_path):
        pass

    assert trades_in(tmp_path / "simulator" / "simulator.db") >= 1
    assert not older.exists()


def test_books_under_the_new_name_are_not_replaced(tmp_path: Path, older: Path) -> None:
    new = older.with_name("simulator.db")
    new.touch()

    store.take_over(new)

    assert new.stat().st_size == 0
    assert older.exists()


def test_a_move_that_was_cut_short_is_finished(older: Path) -> None:
    wal = older.with_name("state.json-wal")
    assert wal.exists()
    new = older.with_name("simulator.db")
    wal.rename(new.with_name("simulator.db-wal"))  # a crash came right after this

    store.take_over(new)

    assert trades_in(new) >= 1


def test_a_file_of_another_name_takes_over_nothing(older: Path) -> None:
    store.take_over(older.with_name("mine.db"))

    assert older.exists()
