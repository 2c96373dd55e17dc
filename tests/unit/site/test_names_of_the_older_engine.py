"""What the older execution loop was configured with is understood by the names it had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GIVEN = {
    "DATABASE_PATH": "trading.db",
    "MAX_LOSS_COOLDOWN": "4",
    "COOLDOWN_DURATION_SECONDS": "301",
    "MAX_SPREAD_BPS": "11.5",
    "MAX_SLIPPAGE_BPS": "6.5",
    "MAX_LATENCY_MS": "501",
    "TRADING_WINDOW_START": "09:30",
    "TRADING_WINDOW_END": "16:00",
    "RECONCILE_INTERVAL_SECONDS": "6",
    "KILL_SWITCH_ENABLED": "true",
    "MAX_POSITION_SIZE": "10001.0",
    "MAX_OPEN_POSITIONS_PER_VA": "6",
    "STOP_LOSS_PERCENTAGE": "2.5",
}
# name given, setting it ends in, what it is when it is given, what it is when it is not
MEANINGS = [
    ("MAX_LOSS_COOLDOWN", "4", "3"),
    ("COOLDOWN_DURATION_SECONDS", "301", "300"),
    ("MAX_SPREAD_BPS", "11.5", "10.0"),
    ("MAX_SLIPPAGE_BPS", "6.5", "5.0"),
    ("MAX_LATENCY_MS", "501", "500"),
    ("TRADING_WINDOW", "09:30-16:00 UTC", ""),  # round the clock unless hours are given
    ("RECONCILE_INTERVAL_SECONDS", "6", "5"),
    ("KILL_SWITCH_ENABLED", "True", "False"),
    ("MAX_POSITION_NOTIONAL", "10001.0", "10000.0"),
    ("MAX_OPEN_POSITIONS", "6", "5"),
    ("STOP_LOSS_DEFAULT", "2.5", "2.0"),
]
ASK = (
    "import json, os; os.environ['DJANGO_SETTINGS_MODULE'] = 'petrosa_site.settings';"
    "from django.conf import settings;"
    f"names = {[name for name, _, _ in MEANINGS]!r};"
    "told = {name: str(getattr(settings, name)) for name in names};"
    "told['database'] = str(settings.DATABASES['default']['NAME']);"
    "print(json.dumps(told))"
)


def settings_with(folder: Path, **given: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {"PETROSA_IGNORE_DOTENV": "true", "PETROSA_VAR_DIR": str(folder)}
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK],
        env=kept | own | given,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, str] = json.loads(said.stdout.splitlines()[-1])
    return told


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return settings_with(tmp_path_factory.mktemp("given"), **GIVEN)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return settings_with(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(("name", "wanted", "default"), MEANINGS)
def test_a_value_given_by_its_older_name_holds(given, plain, name, wanted, default):
    assert given[name] == wanted
    assert plain[name] == default


def test_the_database_is_the_file_that_is_named(given):
    assert Path(given["database"]).name == "trading.db"
