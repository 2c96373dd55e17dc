from __future__ import annotations

import os
import subprocess
import sys

HEAVY = ("pandas", "empyrical", "pyarrow", "talib", "scipy", "matplotlib", "litecharts")
CODE = f"""
import sys, django
django.setup()
import petrosa_site.urls, signals_app.admin, signals_app.tasks, signals_app.api.viewsets
import signals_app.management.commands.run_backtest
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_pages_tasks_and_commands_load_it_when_it_is_needed():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "petrosa_site.settings"}
    told = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, env=environment, check=True
    )
    assert told.stdout.strip() == "[]"
