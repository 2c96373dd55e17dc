"""The files a report's page is made of, and the page itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings

from signals_app.backtest import report

STATIC = Path(settings.BASE_DIR) / "petrosa_site" / "static" / "petrosa"


@cache
def charts_file() -> Path:
    """Return the charts' script, which comes with the litecharts package (not imported)."""
    found = find_spec("litecharts")
    if found is None or not found.origin:
        raise FileNotFoundError("the package litecharts is not installed")
    return Path(found.origin).with_name("js") / "lightweight-charts.js"


def page(told: Mapping[str, Any]) -> str:
    """Return the report as one HTML file that needs nothing else."""
    return report.page(
        told,
        chart_js=charts_file().read_text(encoding="utf-8"),
        page_js=(STATIC / "backtest.js").read_text(encoding="utf-8"),
        css=(STATIC / "admin.css").read_text(encoding="utf-8"),
    )
