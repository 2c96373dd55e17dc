"""The charts of a report show all of their data, from edge to edge, at every width."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from signals_app.backtest import metrics, report
from signals_app.services import backtest_report
from tests.unit.backtest.worlds import CROSS, SmaCross, run, setup, walk

CANDLES = 1001
CATCH = """
let library;
window.caught = [];
Object.defineProperty(window, "LightweightCharts", {
  get: () => library,
  set: (given) => {
    library = { ...given, createChart: (...words) => {
      const chart = given.createChart(...words);
      window.caught.push(chart);
      return chart;
    } };
  },
});
"""
SHOWN = "caught.map((chart) => { const r = chart.timeScale().getVisibleLogicalRange();"
SHOWN += " return [r.from, r.to]; })"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    market = walk(CANDLES)
    found = run(SmaCross(), market, setup(params=CROSS))
    told = report.document(found, metrics.of(found), market)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(backtest_report.page(told), encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "then"), [(1400, 1400), (400, 400), (1400, 400), (400, 1400)])
def test_at_every_width(chromium: Browser, page_file: Path, width: int, then: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.add_init_script(CATCH)
    page.goto(page_file.as_uri())
    page.wait_for_timeout(500)
    page.set_viewport_size({"width": then, "height": 900})
    page.wait_for_timeout(500)
    shown = page.evaluate(SHOWN)
    page.close()
    assert len(shown) == 3
    for first, last in shown:
        assert -20 < first < 1
        assert CANDLES - 2 < last < CANDLES + 20
