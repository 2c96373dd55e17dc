from __future__ import annotations

import json
import math
import re
from dataclasses import replace

from signals_app.backtest import metrics, report
from signals_app.services import backtest_report
from tests.unit.backtest.worlds import CROSS, Says, SmaCross, candles, run, setup, walk


def told(strategy=None, market=None, **changes):
    market = market or walk(4000)
    found = run(strategy or SmaCross((0.002, 0.004)), market, setup(params=CROSS, **changes))
    return report.document(found, metrics.of(found), market)


def test_columns_are_thinned_out_and_keep_the_last_equity():
    document = told()
    assert len(document["equity"]["time"]) <= report.MOST_POINTS
    assert document["equity"]["equity"][-1] == round(document["figures"]["end_equity"], 4)


def test_the_deepest_drawdown_survives_the_thinning():
    document = told()
    deepest = min(document["equity"]["drawdown"]) / 100
    assert math.isclose(deepest, document["figures"]["max_drawdown"], abs_tol=1e-6)


def test_times_only_rise():
    times = told()["equity"]["time"]
    assert times == sorted(set(times))


def test_every_mark_stands_on_a_bar():
    document = told()
    bars = {bar[0] for bar in document["candles"]}
    assert document["marks"]
    assert {mark[0] for mark in document["marks"]} <= bars


def test_it_is_json_without_nan():
    flat = candles([(100, 100, 100, 100)] * 50)
    for document in (told(), told(Says({}), flat), told(Says({0: 1}), flat)):
        json.dumps(document, allow_nan=False)


def test_words_of_others_stay_text():
    document = told()
    document["setup"]["strategy_id"] = "<script>alert(1)</script>"
    document["calls"]["denied"]["</script><b>"] = 1
    document["marks"][0][2] = "</script><script>alert(2)"
    page = backtest_report.page(document)
    assert "alert(1)</script>" not in page
    assert "</script><b>" not in page
    assert "<script>alert(2)" not in page


def test_the_page_loads_nothing():
    page = backtest_report.page(told())
    head = page.split("<script", 1)[0]
    assert not re.search(r"(src|href)=", head)
    assert "Apache License 2.0" in page


def test_an_open_trade_is_told():
    flat = candles([(100, 100, 100, 100)] * 5)
    assert told(Says({0: 1}), flat)["still_open"] == "1"
    assert told(Says({0: 1, 2: -1}), flat)["still_open"] == ""


def test_dust_is_no_open_trade():
    from decimal import Decimal as D

    from tests.unit.backtest.worlds import FREE

    flat = candles([(100, 100, 100, 100)] * 5)
    costs = replace(FREE, fee_bps=D(10))
    limits = {"default_base_quantity": D("0.12345")}
    assert told(Says({0: 1, 2: -1}), flat, costs=costs, limits=limits)["still_open"] == ""
