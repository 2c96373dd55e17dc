"""Web, worker and user stream meet the venue before their first order does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from petrosa_site.stack.ports import free_port
from tests import processes
from tests.fakes.scripted_venue import ScriptedVenue
from trading.services.money import accounts

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = "-m celery -A petrosa_site worker --loglevel WARNING --pool"
COMMANDS = {
    "web": "manage.py serve --host 127.0.0.1 --port {port}",
    "worker": f"{WORKER} prefork --concurrency 1",
    "worker without children": f"{WORKER} solo",
    "userstream": "manage.py run_userstream",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_it_asks_the_venue_for_the_time_at_its_start(name: str, tmp_path: Path) -> None:
    accounts.ensure_first()
    command = COMMANDS[name].format(port=free_port())
    log = tmp_path / "log"
    with (
        ScriptedVenue() as venue,
        processes.running(*command.split(), log=log, SIMULATOR_REST_URL=venue.url),
    ):
        deadline = time.monotonic() + 60
        while not venue.calls("time") and time.monotonic() < deadline:
            time.sleep(0.1)
        assert venue.calls("time"), log.read_text()
