import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def host(**variables):
    """Return API_HOST as a process with these variables and no others reads it."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; print(settings.API_HOST)"],
        env={
            **plain,
            "DJANGO_SETTINGS_MODULE": "petrosa_site.settings",
            "DJANGO_SECRET_KEY": "x",
            "PETROSA_IGNORE_DOTENV": "true",
            **variables,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_laptop_is_heard_by_itself_alone():
    assert host() == "127.0.0.1"


def test_whoever_says_so_is_heard_by_all():
    assert host(API_HOST="0.0.0.0") == "0.0.0.0"
    assert host(TRADING_SERVICE_HOST="0.0.0.0") == "0.0.0.0"


def test_containers_say_so():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^ENV (.*\\\n)*.*\bAPI_HOST=0\.0\.0\.0\b", dockerfile, re.MULTILINE)
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert services["web"]["environment"]["API_HOST"] == "0.0.0.0"
