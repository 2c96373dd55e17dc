"""After real trades on the simulator our ledger and the venue's agree to the last digit."""

from __future__ import annotations

import json

SYMBOL = "DOTUSDT"
STEPS = (
    {"action": "buy", "quantity": 5},
    {"action": "buy", "quantity": 3},
    {"action": "sell", "quantity": 2},
    {"action": "sell"},  # all that is left
)


def test_the_books_agree_after_trades_both_ways(whole):
    for step in STEPS:
        body = {"strategy_id": "tie-out", "symbol": SYMBOL, "confidence": 0.9, **step}
        answer = whole.post("/trade", body)
        assert answer.status == 200, answer.body
        assert answer.body["result"]["status"] == "filled", answer.body
    whole.eventually(lambda: json.loads(whole.manage("tie_out", "--json"))[0]["agrees"])
    [told] = json.loads(whole.manage("tie_out", "--json"))
    assert told["trades"] >= len(STEPS)
    assert told["differences"] == []
    [trade] = whole.get(f"/api/v1/closed-trades/?symbol={SYMBOL}").body["results"]
    assert (trade["strategy_id"], trade["bought"]) == ("tie-out", "8")
