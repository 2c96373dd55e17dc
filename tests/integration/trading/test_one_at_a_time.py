"""The right to be alone at something: kept while it is needed, free soon after its holder dies."""

from __future__ import annotations

import time
from pathlib import Path

from foundation import locks
from tests import processes

HOLDER = """
import time, django
django.setup()
from foundation import locks
with locks.at("drill", life=2.0):
    print("held", flush=True)
    time.sleep(60)
"""


def is_free() -> bool:
    with locks.at("drill") as got_it:
        return got_it


def test_a_second_one_is_told_so():
    with locks.at("drill") as first, locks.at("drill") as second:
        assert first
        assert not second
    assert is_free()


def test_it_is_kept_for_longer_than_its_life():
    with locks.at("drill", life=1.0):
        time.sleep(1.7)
        assert not is_free()


def test_a_killed_holder_does_not_keep_others_out(db, tmp_path: Path):
    log = tmp_path / "holder.log"
    with processes.running(
        "-c", HOLDER, log=log, DJANGO_SETTINGS_MODULE="petrosa_site.settings"
    ) as holder:
        while "held" not in log.read_text():
            assert holder.poll() is None, log.read_text()
            time.sleep(0.05)
        time.sleep(2.5)
        assert not is_free()
        holder.kill()
        holder.wait()
        with locks.at("drill", wait=60) as got_it:
            assert got_it


def test_another_waits_for_his_turn():
    with locks.at("drill"), locks.at("drill", wait=0.2) as got_it:
        assert not got_it
    with locks.at("drill", wait=0.2) as got_it:
        assert got_it
