"""From an outside NATS client to a protected position, told the same way by every door."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.corridor.watching import live_socket, wait_for_kinds
from tests.product import a_signal

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def traded(_whole):
    """One signal, published by an outside client, when all is done about it."""
    sent = a_signal(
        strategy_id="corridor", symbol="BTCUSDT", stop_loss=49000, take_profit=51500, quantity=0.01
    )
    with live_socket(_whole) as socket:
        _whole.publish(sent)
        heard = wait_for_kinds(socket, sent["signal_uid"], "order.filled")
    story = _whole.eventually(lambda: filled(_whole, sent["signal_uid"]))
    return sent, story, heard


def filled(product, uid):
    answer = product.get(f"/api/v1/signals/{uid}/")
    if answer.status != 200 or not answer.body["orders"]:
        return None
    return answer.body if answer.body["orders"][0]["status"] == "FILLED" else None


def test_the_signal_and_its_decision_are_on_record(traded):
    sent, story, _ = traded
    assert story["status"] == "routed"
    assert story["source"] == "nats"
    assert story["subject"] == "signals.trading"
    assert story["strategy_id"] == sent["strategy_id"]
    assert story["decision"]["approved"] is True
    assert all(v["passed"] for v in story["decision"]["verdicts"])


def test_one_entry_is_filled_for_the_size_asked(traded):
    _, story, _ = traded
    entries = [o for o in story["orders"] if o["role"] == "entry"]
    assert len(entries) == 1
    entry = entries[0]
    assert Decimal(entry["quantity"]) == Decimal(entry["executed_quantity"]) == Decimal("0.01")
    assert sum(Decimal(f["quantity"]) for f in entry["fills"]) == Decimal("0.01")
    assert all(f["commission_asset"] == "BTC" for f in entry["fills"])


def test_the_venue_knows_the_order_by_our_id(traded, whole):
    _, story, _ = traded
    client_id = story["orders"][0]["client_order_id"]
    at_venue = [o for o in whole.venue.control("ledger")["orders"] if o["placedAs"] == client_id]
    assert [o["status"] for o in at_venue] == ["FILLED"]


def test_the_position_is_protected_at_the_venue(traded, whole):
    position = whole.eventually(lambda: protected(whole))
    assert Decimal(position["stop_price"]) == Decimal(49000)
    assert position["alarm"] == ""
    resting = [
        o
        for o in whole.venue.control("ledger")["orders"]
        if o["symbol"] == "BTCUSDT" and o["status"] == "NEW" and o["side"] == "SELL"
    ]
    assert {o["type"] for o in resting} >= {"STOP_LOSS"}
    stops = [o for o in resting if o["type"] == "STOP_LOSS"]
    assert sum(Decimal(o["origQty"]) for o in stops) <= Decimal(position["quantity"])


def protected(product):
    found = product.get("/api/v1/positions/?symbol=BTCUSDT").body["results"]
    good = [p for p in found if p["is_open"] and p["naked_since"] is None]
    return good[0] if good else None


def test_the_live_page_was_told_of_every_step(traded):
    _, _, heard = traded
    # Its protection follows under the same name, so each kind counts when it first came.
    kinds = list(dict.fromkeys(e["kind"] for e in heard))
    wanted = ["signal.received", "decision.approved", "order.created", "order.submitting"]
    assert kinds[:4] == wanted
    assert {"fill.booked", "order.filled"} <= set(kinds)


def test_one_correlation_id_runs_from_signal_to_fill(traded, whole):
    sent, story, heard = traded
    assert {e["correlation_id"] for e in heard} == {story["correlation_id"]}
    query = f"/api/v1/audit/?signal_uid={sent['signal_uid']}"
    assert {e["correlation_id"] for e in whole.get(query).body["results"]} == {
        story["correlation_id"]
    }
    assert story["correlation_id"] in whole.log("worker")


def test_the_old_order_path_tells_the_same(traded, whole):
    _, story, _ = traded
    entry = story["orders"][0]
    answer = whole.get(f"/order/BTCUSDT/{entry['venue_order_id']}")
    assert answer.status == 200
    assert answer.body["status"] == "filled"
    assert answer.body["client_order_id"] == entry["client_order_id"]


def test_counts_made_in_listener_and_worker_are_on_the_metrics_page(traded, whole):
    assert whole.counted("tradeengine_nats_messages_processed_total", outcome="received") >= 1
    assert whole.counted("tradeengine_trades_total", status="filled", type="market") >= 1
    assert whole.counted("tradeengine_latency_seconds_count", stage="signal_to_decision") >= 1
    assert whole.counted("tradeengine_latency_seconds_bucket", le="+Inf") >= 1
