"""KILL_SWITCH_ENABLED at the start of a process makes the state stricter, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from petrosa_site import boot
from petrosa_site.stack import ports
from tests import processes
from trading.domain.risk.types import TradingMode
from trading.models import TradingState
from trading.services.control import kill_switch


def told() -> int:
    return Event.objects.filter(kind__startswith="control.").count()


@pytest.mark.django_db
class TestTheState:
    @pytest.fixture(autouse=True)
    def _enabled(self, settings):
        settings.KILL_SWITCH_ENABLED = True

    def test_new_entries_are_stopped(self):
        boot.heed_kill_switch()

        state = TradingState.objects.get()
        assert (state.mode, state.scope, state.expires_at) == ("HALTED", "global", None)
        assert state.engaged_by == "KILL_SWITCH_ENABLED"

    def test_every_further_boot_changes_nothing(self):
        for _ in range(3):
            boot.heed_kill_switch()

        assert TradingState.objects.count() == 1
        assert told() == 1

    def test_a_persons_stop_stays_theirs(self):
        kill_switch.engage(actor="ann", reason="storm")
        boot.heed_kill_switch()

        assert TradingState.objects.get().engaged_by == "ann"

    def test_one_that_would_run_out_does_so_no_more(self):
        until = timezone.now() + timedelta(minutes=5)
        kill_switch.engage(actor="ann", reason="storm", expires_at=until)
        boot.heed_kill_switch()

        assert TradingState.objects.get().expires_at is None

    def test_a_stricter_one_stays_and_a_milder_one_is_not_enough(self):
        kill_switch.engage(actor="ann", reason="storm", mode=TradingMode.FLATTEN)
        kill_switch.engage(actor="ann", reason="storm", mode=TradingMode.REDUCE_ONLY)
        boot.heed_kill_switch()

        modes = kill_switch.in_force(timezone.now()).values_list("mode", flat=True)
        assert sorted(modes) == ["FLATTEN", "HALTED", "REDUCE_ONLY"]

    def test_switching_it_off_releases_nothing(self, settings):
        boot.heed_kill_switch()
        settings.KILL_SWITCH_ENABLED = False
        boot.heed_kill_switch()

        assert TradingState.objects.get().released_at is None


@pytest.mark.django_db(transaction=True)
class TestProcesses:
    def test_workers_and_web_heed_it_before_they_work(self, tmp_path):
        with processes.worker(tmp_path / "one.log", KILL_SWITCH_ENABLED="true"):
            until(TradingState.objects.exists)
        first = TradingState.objects.get()
        first.released_at = timezone.now()
        first.released_by = "ann"
        first.save()

        port = str(ports.free_port())
        with processes.manage(
            "serve", "--port", port, log=tmp_path / "web.log", KILL_SWITCH_ENABLED="true"
        ):
            until(lambda: TradingState.objects.filter(released_at=None).exists())
        with processes.worker(tmp_path / "two.log", KILL_SWITCH_ENABLED="false"):
            time.sleep(2)
        assert TradingState.objects.filter(released_at=None).count() == 1


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)
