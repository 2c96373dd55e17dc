"""POST /api/v1/decisions/preview says what POST /trade would do, and does nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from signals_app.models import Signal
from tests.integration.api.conftest import signal, trade
from tests.limits import set_limits
from trading.models import Decision, Order, VirtualAccount
from trading.services.control import kill_switch

D = Decimal
PATH = "/api/v1/decisions/preview"


def preview(client, body: bytes | None = None, **changes: Any) -> Any:
    data = body if body is not None else json.dumps(signal(**changes))
    return client.post(PATH, data, content_type="application/json")


def test_it_shows_the_order_its_fees_and_the_worst_loss(trader):
    told = preview(trader, quantity=0.01, stop_loss=44000).json()

    assert told["would_be_approved"] is True
    assert told["account"] == "simulator"
    assert told["order"]["quantity"] == "0.01"
    entry, rate = D(told["order"]["reference_price"]), D(told["market"]["taker_rate"])
    assert D(told["fees"]["order"]) == D("0.01") * entry * rate
    assert D(told["fees"]["exit_at_stop"]) == D("0.01") * 44000 * rate
    lost = D("0.01") * (entry - 44000) + D(told["fees"]["order"]) + D(told["fees"]["exit_at_stop"])
    assert D(told["worst_loss"]) == lost
    assert {v["rule"] for v in told["verdicts"]} >= {"size", "gross_exposure"}


def test_nothing_is_stored_and_no_pace_counts_it(trader):
    set_limits(max_orders_per_minute=1, max_gross_exposure=100000, max_entries_per_position=5)
    before = Event.objects.count()
    for _ in range(3):
        assert preview(trader).json()["would_be_approved"]

    assert [kind.objects.count() for kind in (Signal, Decision, Order)] == [0, 0, 0]
    assert Event.objects.count() == before
    assert trade(trader).status_code == 200
    assert preview(trader).json()["code"] == "ORDER_RATE_MINUTE_AT_MAX"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"confidence": 0.1},
        {"quantity": None},
        {"quantity": 500},
        {"stop_loss": 99999},
        {"action": "close"},
        {"symbol": "NOPEUSDT"},
        {"timestamp": "2020-01-01T00:00:00Z"},
        {"order_type": "limit", "price": 40000, "stop_loss": 39000},
    ],
)
def test_it_says_what_the_real_door_says(trader, changes):
    told = preview(trader, **changes).json()
    trade(trader, **changes)
    decision = Decision.objects.get()

    assert (told["would_be_approved"], told["code"]) == (decision.approved, decision.code)
    ages = {"signal_age", "quote_age", "venue_latency", "slippage"}
    moving = {*ages, "balance", "trading_window"}
    stored = [v for v in decision.verdicts if v["rule"] not in moving]
    assert [v for v in told["verdicts"] if v["rule"] not in moving] == stored
    assert told["sizing"] == decision.arithmetic["sizing"]
    assert told["limits_version"] == decision.limits_version
    if decision.approved:
        assert told["order"] == decision.plan


def test_a_denied_entry_still_shows_its_size_and_loss(trader):
    kill_switch.engage(actor="test", reason="odd prices")
    told = preview(trader).json()
    assert told["code"] == "TRADING_HALTED"
    assert told["order"]["quantity"] == "0.001"
    assert D(told["worst_loss"]) > 0


def test_an_exit_has_no_worst_loss(trader):
    trade(trader)
    told = preview(trader, action="close", quantity=None).json()
    assert told["would_be_approved"] is True
    assert told["kind"] == "close"
    assert told["worst_loss"] is None


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"symbol": "BTCUSDT"}', b'{"a": NaN}'])
def test_a_bad_payload_gets_the_answer_of_the_real_door(trader, body):
    answer = preview(trader, body)
    real = trader.post("/trade", body, content_type="application/json")
    expected = {k: v for k, v in real.json().items() if k not in ("signal_uid", "follow")}
    assert (answer.status_code, answer.json()) == (real.status_code, expected)


def test_without_an_account_it_says_so(trader):
    VirtualAccount.objects.all().delete()
    answer = preview(trader)
    assert (answer.status_code, answer.json()["code"]) == (400, "ACCOUNT_UNKNOWN")


def test_who_may_see_decisions_may_look(exchange, person):
    assert preview(person("trading.view_decision")).status_code == 200
    assert preview(person(name="bob")).status_code == 403


def test_once_balances_are_fresh_it_writes_and_locks_nothing_at_all(trader):
    set_limits(max_gross_exposure=100000)
    preview(trader)
    with CaptureQueriesContext(connection) as asked:
        preview(trader)
    statements = [q["sql"] for q in asked if "django_" not in q["sql"]]
    assert all(sql.startswith("SELECT") for sql in statements), statements
    assert not any(" FOR NO KEY UPDATE" in sql for sql in statements)
