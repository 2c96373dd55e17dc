"""The legacy subject, bodies that are no signals, repeats, and news that is too old."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from tests.product import a_signal

pytestmark = pytest.mark.timeout(600)


def story_of(product, uid, status):
    def look():
        answer = product.get(f"/api/v1/signals/{uid}/")
        return answer.body if answer.status == 200 and answer.body["status"] == status else None

    return product.eventually(look)


def entries_of(product, uid):
    sql = "SELECT * FROM trading_order WHERE signal_uid = ? AND role = 'entry'"
    return product.rows(sql, uid)


def filled_entry(product, uid):
    found = [o for o in entries_of(product, uid) if o["status"] == "FILLED"]
    return found[0] if found else None


def test_the_subject_of_old_strategies_trades_too(whole):
    sent = a_signal(symbol="ETHUSDT", price=2990, quantity=0.01)
    whole.publish(sent, subject="tradeengine.orders")
    assert whole.eventually(lambda: filled_entry(whole, sent["signal_uid"]))
    story = story_of(whole, sent["signal_uid"], "routed")
    assert story["subject"] == "tradeengine.orders"


def test_a_body_that_is_no_signal_is_kept_as_rejected_and_the_next_one_trades(whole):
    mark = f"broken-{secrets.token_hex(4)}"
    broken = a_signal(strategy_id=mark, confidence=1.2)
    good = a_signal(symbol="ETHUSDT", price=2990, quantity=0.01)

    whole.publish(f"not json at all {mark}".encode(), broken, good)

    assert whole.eventually(lambda: filled_entry(whole, good["signal_uid"]))
    rejected = whole.get("/api/v1/signals/?status=rejected").body["results"]
    codes = {r["error_code"]: r for r in rejected}
    assert len(rejected) >= 2, rejected
    assert any(r["error_field"] == "confidence" for r in rejected), codes
    details = [whole.get(f"/api/v1/signals/{r['uid']}/").body for r in rejected]
    assert any(d["raw"] == f"not json at all {mark}" for d in details)
    assert not [o for d in details for o in d["orders"]]


def test_a_repeat_under_another_message_id_trades_once(whole):
    sent = a_signal(symbol="ETHUSDT", price=2990, quantity=0.01)
    whole.publish(sent, sent, msg_ids=[secrets.token_hex(8), secrets.token_hex(8)])
    after = a_signal(symbol="ETHUSDT", price=2990, quantity=0.01)
    whole.publish(after)
    whole.eventually(lambda: filled_entry(whole, after["signal_uid"]))

    assert len(entries_of(whole, sent["signal_uid"])) == 1
    repeated = whole.value(
        "SELECT count(*) FROM audit_event WHERE kind = 'signal.repeated' AND signal_uid = ?",
        sent["signal_uid"],
    )
    assert repeated == 1


def test_a_message_id_that_the_bus_has_forgotten_trades_once(whole):
    """JetStream remembers ids for minutes only, so the same id comes by the legacy subject of a
    bus whose memory is shorter than ours: here by a stream told to forget after 100 ms."""
    whole.eventually(lambda: shorten_memory(whole))
    message_id = secrets.token_hex(8)
    sent = a_signal(symbol="ETHUSDT", price=2990, quantity=0.01, signal_uid=None)
    [first] = whole.publish(sent, msg_ids=[message_id])
    whole.eventually(lambda: acks_differ(whole, sent, message_id, first))

    after = a_signal(symbol="ETHUSDT", price=2990, quantity=0.01)
    whole.publish(after)
    whole.eventually(lambda: filled_entry(whole, after["signal_uid"]))
    key = f"nats:{message_id}"
    rows = whole.rows("SELECT uid FROM signals_app_signal WHERE dedupe_key = ?", key)
    assert len(rows) == 1
    assert len(entries_of(whole, rows[0]["uid"])) == 1


def shorten_memory(product):
    import asyncio

    import nats

    async def change():
        client = await nats.connect(product.nats.url)
        try:
            stream = client.jetstream()
            config = (await stream.stream_info("TRADING")).config
            config.duplicate_window = 0.1
            await stream.update_stream(config)
        finally:
            await client.close()
        return True

    return asyncio.run(change())


def acks_differ(product, sent, message_id, first):
    [again] = product.publish(sent, msg_ids=[message_id])
    return again.seq != first.seq and not again.duplicate


def test_old_news_is_denied_as_stale_and_nothing_is_sent(whole):
    then = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    sent = a_signal(timestamp=then)
    whole.publish(sent)
    story = story_of(whole, sent["signal_uid"], "denied")
    assert story["decision"]["code"] == "SIGNAL_STALE"
    assert story["orders"] == []
    failed = [v for v in story["decision"]["verdicts"] if not v["passed"]]
    assert failed[0]["rule"] == "signal_age"
    assert float(failed[0]["actual"]) >= 300


def test_a_repeat_over_rest_is_answered_with_the_first_outcome(whole):
    body = a_signal(symbol="ETHUSDT", price=2990, quantity=0.01)
    first = whole.post("/trade", body)
    again = whole.post("/trade", body)
    assert first.status == again.status == 200, first
    assert first.body["result"]["order_id"] == again.body["result"]["order_id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert len(entries_of(whole, body["signal_uid"])) == 1


def test_a_signal_sent_by_bus_and_by_rest_trades_once(whole):
    body = a_signal(symbol="ETHUSDT", price=2990, quantity=0.01)
    whole.publish(body)
    answer = whole.post("/trade", json.dumps(body).encode())
    assert answer.status in (200, 202), answer
    whole.eventually(lambda: filled_entry(whole, body["signal_uid"]))
    assert len(entries_of(whole, body["signal_uid"])) == 1
