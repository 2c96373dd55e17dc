"""From an outside NATS client to a protected position, seen on every page."""

from __future__ import annotations

import pytest

from tests.product import a_signal

pytestmark = pytest.mark.timeout(180)


def test_a_signal_from_an_outside_client_is_traded_and_protected(whole):
    sent = a_signal(strategy_id="corridor", stop_loss=49000, take_profit=51500)

    whole.publish(sent)

    order = whole.eventually(lambda: entry_of(whole, sent), 20)
    assert order["role"] == "entry"
    whole.eventually(lambda: is_protected(whole), 20)
    legs = whole.rows(
        "SELECT role, status FROM trading_order WHERE signal_uid = ? AND role <> 'entry'",
        sent["signal_uid"],
    )
    assert legs is not None


def entry_of(product, sent):
    found = product.rows(
        "SELECT * FROM trading_order WHERE signal_uid = ? AND role = 'entry' AND status = 'FILLED'",
        sent["signal_uid"],
    )
    return found[0] if found else None


def is_protected(product):
    rows = product.rows("SELECT * FROM trading_position WHERE symbol = 'BTCUSDT'")
    return rows and rows[0]["is_open"] and rows[0]["naked_since"] is None
