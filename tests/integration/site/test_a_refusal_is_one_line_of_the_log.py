from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ASK = """
import logging, logging.config
from django.core.exceptions import PermissionDenied
from petrosa_site.logging import logging_config
logging.config.dictConfig(logging_config("INFO", "console"))
for error in (PermissionDenied(), ValueError("told in full")):
    try:
        raise error
    except Exception:
        logging.getLogger("django.request").warning("Forbidden", exc_info=True)
"""


def test_a_refusal_has_no_trace_and_a_mistake_has():
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "told in full" in done.stderr
    assert done.stderr.count("Traceback") == 1
    assert "PermissionDenied" not in done.stderr
