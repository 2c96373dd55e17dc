from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from exchanges.matching import Engine, NewOrder, OrderType, Side
from exchanges.matching.rules import parse_symbol
from tests.unit.matching.venue import T0, D, refused

SHARED = Path(__file__).resolve().parents[4] / "shared" / "binance" / "data"
MODERN = SHARED / "gocryptotrader" / "extracted_spot_exchangeInfo.json"
OLD = SHARED / "cryptofeed" / "BINANCE.0.gz"


@pytest.fixture
def modern():
    if not MODERN.exists():
        pytest.skip("the recorded exchangeInfo is not beside this project")
    return json.loads(MODERN.read_text())["symbols"]


def test_every_recorded_symbol_parses(modern):
    for found in modern:
        rules = parse_symbol(found)
        assert rules.symbol == found["symbol"]
        assert rules.lot.step > 0


def test_btcusdt_trades_under_its_real_filters(modern):
    engine = Engine()
    engine.add_symbol(next(s for s in modern if s["symbol"] == "BTCUSDT"))
    engine.add_account("a", balances={"USDT": D(100_000)})
    engine.set_book("BTCUSDT", [(D(114_999), D(1))], [(D(115_000), D(1))], T0)
    engine.trade("BTCUSDT", D(115_000), D("0.1"), T0)
    bought = engine.place(
        "a", NewOrder("BTCUSDT", Side.BUY, OrderType.MARKET, quantity=D("0.00005")), T0
    )
    assert bought.order.status == "FILLED"
    with refused(-1013, "Filter failure: NOTIONAL"):
        engine.place(
            "a", NewOrder("BTCUSDT", Side.BUY, OrderType.MARKET, quantity=D("0.00004")), T0
        )
    with refused(-1013, "Filter failure: MARKET_LOT_SIZE"):
        engine.place("a", NewOrder("BTCUSDT", Side.BUY, OrderType.MARKET, quantity=D(98)), T0)


def test_filters_of_2021_parse_too():
    if not OLD.exists():
        pytest.skip("the recorded exchangeInfo of 2021 is not beside this project")
    text = gzip.decompress(OLD.read_bytes()).decode()
    body = text[text.index("{") :]
    symbols = json.JSONDecoder().raw_decode(body)[0]["symbols"]
    assert len(symbols) > 1_000
    names = {n.name for s in symbols for n in parse_symbol(s).notionals}
    assert "MIN_NOTIONAL" in names
