"""After real trades on the simulator our ledger and the venue's agree to the last digit."""

from __future__ import annotations

import json


def test_the_books_agree_after_trades_both_ways(whole):
    for action, quantity in (("buy", 0.02), ("buy", 0.01), ("sell", 0.015)):
        answer = whole.post(
            "/trade",
            {
                "strategy_id": "tie-out",
                "symbol": "LTCUSDT",
                "action": action,
                "confidence": 0.9,
                "quantity": quantity * 100,
            },
        )
        assert answer.status == 200, answer.body
    whole.eventually(lambda: json.loads(whole.manage("tie_out", "--json"))[0]["agrees"], 30)
    [told] = json.loads(whole.manage("tie_out", "--json"))
    assert told["trades"] >= 3
    assert told["differences"] == []
