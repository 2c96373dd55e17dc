"""Early pytest plugin: a private Redis, NATS and folder for each pytest process.

Django reads REDIS_URL when settings are imported, so this must run before pytest-django:
pyproject loads it with `-p tests.servers`. Every xdist worker is a process of its own and gets
its own servers; DATABASE_URL is the only variable of the caller's environment that is kept.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

from petrosa_site.stack import ports, servers

ROOT = Path(__file__).resolve().parents[1]
KEPT = {"DATABASE_URL"}

folder = Path(tempfile.mkdtemp(prefix="petrosa-tests-"))
redis = servers.started(lambda: servers.redis_server(folder / "redis", keep=False))
nats = servers.started(lambda: servers.nats_server(folder / "nats"))


def _known_names() -> set[str]:
    """Return every variable that .env.example documents."""
    example = ROOT / ".env.example"
    text = example.read_text() if example.exists() else ""
    return set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))


def _stop() -> None:
    nats.stop()
    redis.stop()
    shutil.rmtree(folder, ignore_errors=True)


atexit.register(_stop)
for name in _known_names() - KEPT:
    os.environ.pop(name, None)
(folder / "metrics").mkdir()
(folder / "static").mkdir()
os.environ.update(
    {
        "PETROSA_IGNORE_DOTENV": "true",
        "PETROSA_VAR_DIR": str(folder),
        "DJANGO_SECRET_KEY": "tests-only-" + "x" * 50,
        "REDIS_URL": redis.url,
        "NATS_URL": nats.url,
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "TEST_DATABASE_NAME": str(folder / "test.sqlite3"),
        "SIMULATOR_PORT": str(ports.free_port()),
        "LOG_LEVEL": "WARNING",
        "LOG_FORMAT": "console",
        # Other programs run on this machine too: a stall of half a second is no stale price.
        "MAX_LATENCY_MS": "10000",
        "MAX_VENUE_LATENCY_MS": "10000",
    }
)
