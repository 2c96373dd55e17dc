"""The signals printed in the product's own documents are understood as meant."""

from decimal import Decimal

from signals_app.payload.draft import Action
from tests.unit.signals.payloads import RECEIVED_AT, parse, v1, v2, without


def test_the_basic_market_order_is_understood():
    draft = parse(v1({"order_type": "market", "base_amount": 0.001}, confidence=0.8))
    assert draft.schema == "v1"
    assert draft.order_type == "market"
    assert draft.quantity == Decimal("0.001")
    assert draft.confidence == Decimal("0.8")
    assert draft.notes == ()


def test_the_advanced_limit_order_keeps_its_stop_and_target():
    meta = {
        "order_type": "limit",
        "base_amount": 0.1,
        "stop_loss": 2850.0,
        "take_profit": 3300.0,
        "time_in_force": "GTC",
    }
    draft = parse(v1(meta, symbol="ETHUSDT", price=3000.0))
    assert draft.price == 3000
    assert draft.stop_loss == 2850
    assert draft.take_profit == 3300
    assert draft.time_in_force == "GTC"
    assert draft.stop_price is None


def test_the_stop_order_takes_its_stop_loss_as_the_trigger():
    meta = {"order_type": "stop", "base_amount": 0.001, "stop_loss": 43000.0}
    draft = parse(v1(meta, action="sell", confidence=0.95))
    assert draft.action is Action.SELL
    assert draft.stop_price == 43000
    assert draft.stop_loss is None
    assert draft.notes == ("stop_loss taken as the trigger price of the stop order",)


def test_the_momentum_sample_asks_for_simulation_and_keeps_its_reasons():
    meta = {
        "order_type": "limit",
        "base_amount": 0.001,
        "stop_loss": 43000.0,
        "take_profit": 47000.0,
        "time_in_force": "GTC",
        "simulate": True,
        "indicators": {"rsi": 65, "macd": "bullish"},
        "rationale": "Strong momentum breakout",
    }
    draft = parse(v1(meta))
    assert draft.simulate is True
    assert draft.indicators == {"rsi": 65, "macd": "bullish"}
    assert draft.rationale == "Strong momentum breakout"


def test_the_production_message_is_understood():
    draft = parse(
        v2(
            current_price=50000.0,
            timeframe="15m",
            stop_loss=49000.0,
            take_profit=51500.0,
            indicators={"atr": 120.5},
            metadata={"run": 7},
        )
    )
    assert draft.schema == "v2"
    assert draft.quantity == Decimal("0.001")
    assert draft.stop_loss == 49000
    assert draft.timeframe == "15m"
    assert draft.atr == Decimal("120.5")
    assert draft.metadata == {"run": 7}


def test_the_curl_sample_without_a_timestamp_counts_from_its_receipt():
    draft = parse(without(v2(strategy_id="test", price=50000), "timestamp"))
    assert draft.emitted_at == RECEIVED_AT
    assert draft.notes == ("timestamp missing: receipt time used",)
